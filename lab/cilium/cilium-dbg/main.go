// cilium-dbg talks to the agent of its node, and makes the agent's configuration.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"lab.ciliumship.dev/cilium/pkg/version"
)

const usage = `usage: cilium-dbg COMMAND
  status [-o json] [--brief]      what the agent says about itself
  build-config [--dest FOLDER]    write cilium-config and this node's CiliumNodeConfigs to files
  version                         which build this is`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "status":
		return showStatus(ctx, args[1:])
	case "build-config":
		return buildConfig(ctx, args[1:])
	case "version":
		fmt.Println("Client:", version.String())
		return nil
	}
	return fmt.Errorf("no command is named %q\n%s", command, usage)
}
