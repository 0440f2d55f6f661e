// Package xdp attaches a program to devices, by links that outlive the agent.
package xdp

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// ProgramName is what `ip link` shows.
const ProgramName = "cil_xdp_entry"

// XDP_PASS of linux/bpf.h.
const pass = 2

// load gives the kernel a program that lets every packet pass: the sample proves how a program gets
// onto a device, not what it does there.
func load() (*ebpf.Program, error) {
	return ebpf.NewProgram(&ebpf.ProgramSpec{
		Name:         ProgramName,
		Type:         ebpf.XDP,
		License:      "Apache-2.0",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, pass), asm.Return()},
	})
}
