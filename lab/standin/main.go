// Standin takes the place of a program that is not part of what is tried: it answers 200 to every
// request on the port given by the environment variable PORT, and ends when told.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	go func() {
		answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, os.Getenv("STANDIN")) }
		fmt.Fprintln(os.Stderr, http.ListenAndServe(":"+port, http.HandlerFunc(answer)))
		os.Exit(1)
	}()
	<-signals
}
