package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"lab.ciliumship.dev/cilium/pkg/status"
)

func showStatus(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("status", flag.ExitOnError)
	output := flags.String("o", "", "json, or empty for text")
	flags.StringVar(output, "output", "", "same as -o")
	brief := flags.Bool("brief", false, "one word")
	_ = flags.Parse(args)

	var found status.Status
	if err := status.Ask(ctx, "status", &found); err != nil {
		return fmt.Errorf("the agent does not answer: %w", err)
	}
	if *output == "json" {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(found)
	}
	if found.Cilium.State != "Ok" {
		return errors.New(found.Cilium.State + ": " + found.Cilium.Message)
	}
	if *brief {
		fmt.Println("OK")
		return nil
	}
	printText(found)
	return nil
}

func printText(found status.Status) {
	devices := make([]string, 0, len(found.KPR.DeviceList))
	for _, device := range found.KPR.DeviceList {
		devices = append(devices, device.Name+" "+strings.Join(device.IP, " "))
	}
	print := func(name string, value any) { fmt.Printf("%-24s%v\n", name+":", value) }
	print("Cilium", found.Cilium.State+"   "+found.Cilium.Message)
	print("KubeProxyReplacement", found.KPR.Mode+"   ["+strings.Join(devices, ", ")+"]")
	print("XDP Acceleration", found.KPR.Features.NodePort.Acceleration)
	// BEGIN vxlanAcceleration
	print("VXLAN Acceleration", fmt.Sprintf("%s (%s, queues %d)", found.VXLANAcceleration.State,
		found.VXLANAcceleration.Mode, found.VXLANAcceleration.Queues))
	// END vxlanAcceleration
	print("IPAM", found.IPAM.PodCIDRs)
}
