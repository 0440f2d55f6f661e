// Package xdp attaches a program to devices, by links that outlive the agent.
package xdp

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// ProgramName is what `ip link` shows.
const ProgramName = "cil_xdp_entry"

// Verdict is what the program says about every packet: the sample proves how a program gets onto a
// device, not what it does there.
type Verdict int32

// XDP_DROP and XDP_PASS of linux/bpf.h.
const (
	Drop Verdict = 1
	Pass Verdict = 2
)

func load(verdict Verdict) (*ebpf.Program, error) {
	return ebpf.NewProgram(&ebpf.ProgramSpec{
		Name:         ProgramName,
		Type:         ebpf.XDP,
		License:      "Apache-2.0",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, int32(verdict)), asm.Return()},
	})
}
