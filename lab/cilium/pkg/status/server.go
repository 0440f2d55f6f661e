package status

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
)

// Source is asked at each request, so that an answer is never older than its question.
type Source interface {
	Status() Status
	Peers() Peers
	Ready() bool
}

// Where the agent answers besides its socket.
const (
	HealthzAddress   = "127.0.0.1:9879"
	ResponderAddress = ":4240"
)

// Serve answers until one of the listeners fails; the error is sent to failed. It returns an error
// when it cannot listen at all. A port that another agent of this node has comes first: the socket
// is taken over, and must not be taken from an agent that lives.
func Serve(source Source, failed chan<- error) error {
	for _, l := range []struct {
		network, address string
		handler          http.Handler
	}{
		{"tcp", HealthzAddress, healthz(source)},
		{"tcp", ResponderAddress, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})},
		{"unix", Socket, api(source)},
	} {
		if l.network == "unix" {
			if err := os.Remove(l.address); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
		listener, err := net.Listen(l.network, l.address)
		if err != nil {
			return err
		}
		go func() { failed <- http.Serve(listener, l.handler) }()
	}
	return nil
}

func api(source Source) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/status", func(w http.ResponseWriter, _ *http.Request) { answer(w, source.Status()) })
	mux.HandleFunc("/v1/peers", func(w http.ResponseWriter, _ *http.Request) { answer(w, source.Peers()) })
	return mux
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func healthz(source Source) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !source.Ready() {
			http.Error(w, source.Status().Cilium.Message, http.StatusServiceUnavailable)
		}
	})
}

// Ask gets the agent's answer to one question (status or peers) over its socket.
func Ask(ctx context.Context, question string, answer any) error {
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", Socket)
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/v1/"+question, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if failed := new(url.Error); errors.As(err, &failed) {
		return failed.Err // without the address, which has no meaning on a socket
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer)
}
