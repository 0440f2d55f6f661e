// Tcx leaves behind what an agent that is gone leaves: a program at a TCX hook that lets every
// packet pass, held by nothing but a pin.
package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

var hooks = map[string]ebpf.AttachType{
	"ingress": ebpf.AttachTCXIngress,
	"egress":  ebpf.AttachTCXEgress,
}

// TCX_NEXT of linux/bpf.h: on to the next program.
const next = -1

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: tcx DEVICE ingress|egress NAME PIN")
		os.Exit(2)
	}
	if err := attach(os.Args[1], hooks[os.Args[2]], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "tcx:", err)
		os.Exit(1)
	}
}

func attach(device string, hook ebpf.AttachType, name, pin string) error {
	found, err := net.InterfaceByName(device)
	if err != nil {
		return err
	}
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name:         name,
		Type:         ebpf.SchedCLS,
		License:      "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, next), asm.Return()},
	})
	if err != nil {
		return err
	}
	attached, err := link.AttachTCX(link.TCXOptions{Interface: found.Index, Program: program, Attach: hook})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(pin), 0o700); err != nil {
		return err
	}
	return attached.Pin(pin)
}
