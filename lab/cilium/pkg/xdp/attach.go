package xdp

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
)

const (
	root = "/sys/fs/bpf/cilium/devices"

	// XDP_ATTACHED_DRV of linux/if_link.h.
	attachedDriver = 1
)

// Mode is how a program is attached to a device.
type Mode string

// The modes there are; Native is in the driver.
const (
	None    Mode = "disabled"
	Native  Mode = "native"
	Generic Mode = "generic"
)

// pinPath is where the link of a device is kept. The file system of BPF allows no dots in names.
func pinPath(device string) string {
	return filepath.Join(root, strings.ReplaceAll(device, ".", "-"), "links", ProgramName)
}

// Slower says whether packets come to the program later than in the other mode.
func (m Mode) Slower(other Mode) bool {
	return m != other && (m == None || other == Native)
}

// Attach puts the program onto a device. A link that is there already gets the new program, so that
// the device is never without one.
func Attach(device netlink.Link, mode Mode, verdict Verdict) error {
	program, err := load(verdict)
	if err != nil {
		return fmt.Errorf("loading XDP program: %w", err)
	}
	defer program.Close()
	name, pin := device.Attrs().Name, pinPath(device.Attrs().Name)
	if updated, err := update(pin, program, device.Attrs().Index, mode); updated || err != nil {
		return err
	}
	attached, err := link.AttachXDP(link.XDPOptions{Program: program, Interface: device.Attrs().Index, Flags: flag(mode)})
	if err != nil {
		return fmt.Errorf("attaching XDP program to interface %s in %s mode: %w", name, mode, err)
	}
	defer attached.Close()
	if err := os.MkdirAll(filepath.Dir(pin), 0o755); err != nil {
		return err
	}
	slog.Info("XDP program attached", "device", name, "mode", mode)
	return attached.Pin(pin)
}

// update gives a pinned link the program. A link of a device that is gone, or of another mode, is
// removed: false says that there is none to update.
func update(pin string, program *ebpf.Program, index int, mode Mode) (bool, error) {
	pinned, err := link.LoadPinnedLink(pin, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", pin, err)
	}
	defer pinned.Close()
	info, err := pinned.Info()
	if err == nil && info.XDP() != nil && int(info.XDP().Ifindex) == index && ModeOf(index) == mode {
		slog.Info("XDP program replaced", "link", pin)
		return true, pinned.Update(program)
	}
	slog.Info("XDP link is of no use any more", "link", pin)
	return false, os.Remove(pin)
}

// DetachOthers removes the links of every device but those named. A device loses its program when
// its link is kept nowhere.
func DetachOthers(keep []string) error {
	pins, err := filepath.Glob(filepath.Join(root, "*", "links", ProgramName))
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, device := range keep {
		wanted[pinPath(device)] = true
	}
	for _, pin := range pins {
		if wanted[pin] {
			continue
		}
		slog.Info("XDP program detached", "link", pin)
		if err := os.Remove(pin); err != nil {
			return err
		}
	}
	return nil
}

// ModeOf says how the kernel runs a program on the device now, whoever attached it.
func ModeOf(index int) Mode {
	device, err := netlink.LinkByIndex(index)
	if err != nil || device.Attrs().Xdp == nil || !device.Attrs().Xdp.Attached {
		return None
	}
	if device.Attrs().Xdp.AttachMode == attachedDriver {
		return Native
	}
	return Generic
}

func flag(mode Mode) link.XDPAttachFlags {
	if mode == Native {
		return link.XDPDriverMode
	}
	return link.XDPGenericMode
}
