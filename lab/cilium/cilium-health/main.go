// cilium-health asks the agents of all nodes whether they can be reached.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"lab.ciliumship.dev/cilium/pkg/status"
)

const responder = "4240"

// Report is the answer to `cilium-health status -o json`.
type Report struct {
	Local     Name      `json:"local"`
	Nodes     []Node    `json:"nodes"`
	Timestamp time.Time `json:"timestamp"`
}

// Name names the node that was asked.
type Name struct {
	Name string `json:"name"`
}

// Node is what was found about one node.
type Node struct {
	Name string `json:"name"`
	Host Host   `json:"host"`
}

// Host has the node's address, as opposed to one of a pod.
type Host struct {
	Primary Path `json:"primary-address"`
}

// Path is one address and what it answered.
type Path struct {
	IP   string `json:"ip"`
	HTTP Answer `json:"http"`
}

// Answer has an empty status when all is well, and the latency in nanoseconds.
type Answer struct {
	Status  string `json:"status"`
	Latency int64  `json:"latency"`
}

func main() {
	flags := flag.NewFlagSet("status", flag.ExitOnError)
	output := flags.String("o", "", "json, or empty for text")
	flags.StringVar(output, "output", "", "same as -o")
	flags.Bool("probe", true, "ask now; it always does")
	if len(os.Args) < 2 || os.Args[1] != "status" {
		fmt.Fprintln(os.Stderr, "usage: cilium-health status [-o json]")
		os.Exit(1)
	}
	_ = flags.Parse(os.Args[2:])
	report, err := probeAll()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error: the agent does not answer:", err)
		os.Exit(1)
	}
	show(report, *output == "json")
}

func probeAll() (Report, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var peers status.Peers
	if err := status.Ask(ctx, "peers", &peers); err != nil {
		return Report{}, err
	}
	report := Report{Local: Name{peers.Local}, Nodes: make([]Node, len(peers.Nodes)), Timestamp: time.Now()}
	var all sync.WaitGroup
	for i, peer := range peers.Nodes {
		all.Add(1)
		go func() {
			defer all.Done()
			address := peer.Address.String()
			report.Nodes[i] = Node{peer.Name, Host{Path{address, probe(ctx, address)}}}
		}()
	}
	all.Wait()
	return report, nil
}

func probe(ctx context.Context, address string) Answer {
	started := time.Now()
	url := "http://" + net.JoinHostPort(address, responder) + "/hello"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Answer{Status: err.Error()}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return Answer{Status: err.Error()}
	}
	response.Body.Close()
	return Answer{Latency: time.Since(started).Nanoseconds()}
}

func show(report Report, asJSON bool) {
	if asJSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(report)
		return
	}
	for _, node := range report.Nodes {
		path := node.Host.Primary
		text := "OK, RTT=" + time.Duration(path.HTTP.Latency).String()
		if path.HTTP.Status != "" {
			text = path.HTTP.Status
		}
		fmt.Printf("%s (%s): %s\n", node.Name, path.IP, text)
	}
}
