package main

import (
	"fmt"
	"log/slog"
	"time"
)

// readWatcherInterval refuses what an operator of this version cannot read, as Cilium's does. There
// are no unmanaged pods here to watch for.
func readWatcherInterval(text string) error {
	if text == "" {
		return nil
	}
	interval, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("option unmanaged-pod-watcher-interval: unable to cast %q of type string to time.Duration", text)
	}
	slog.Info("unmanaged pods", "interval", interval)
	return nil
}
