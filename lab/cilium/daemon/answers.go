package main

import (
	"github.com/vishvananda/netlink"

	"lab.ciliumship.dev/cilium/pkg/status"
	"lab.ciliumship.dev/cilium/pkg/version"
	"lab.ciliumship.dev/cilium/pkg/xdp"
)

// Ready is true once the node's pods have a network.
func (a *agent) Ready() bool { return a.ready.Load() }

// Peers are all nodes known, this one included.
func (a *agent) Peers() status.Peers {
	peers := status.Peers{Local: a.name}
	for _, node := range a.all() {
		if node.Address.IsValid() {
			peers.Nodes = append(peers.Nodes, status.Peer{Name: node.Name, Address: node.Address})
		}
	}
	return peers
}

// Status tells what the kernel has now, not what was once asked of it.
func (a *agent) Status() status.Status {
	devices, mode := a.deviceStates()
	answer := status.Status{
		Cilium:     a.state(),
		Kubernetes: a.kubernetes(),
		KPR: status.KubeProxyReplacement{
			Mode:       map[bool]string{true: "True", false: "False"}[a.settings.KubeProxyReplacement],
			DeviceList: devices,
			Features:   status.Features{NodePort: status.NodePort{Acceleration: title[mode], Mode: "SNAT"}},
		},
		IPAM: status.IPAM{PodCIDRs: a.own().PodCIDRs},
	}
	// BEGIN vxlanAcceleration
	answer.VXLANAcceleration = a.vxlanAcceleration(mode)
	// END vxlanAcceleration
	return answer
}

var title = map[xdp.Mode]string{xdp.None: "Disabled", xdp.Native: "Native", xdp.Generic: "Generic"}

func (a *agent) state() status.State {
	if a.Ready() {
		return status.State{State: "Ok", Message: version.Banner}
	}
	return status.State{State: "Warning", Message: a.message.Load().(string)}
}

// kubernetes says how the last look at the API server went.
func (a *agent) kubernetes() status.State {
	if message := a.message.Load().(string); message != "" {
		return status.State{State: "Failure", Message: message}
	}
	return status.State{State: "Ok"}
}

// deviceStates are the devices with their addresses, and the worst of their modes.
func (a *agent) deviceStates() ([]status.Device, xdp.Mode) {
	devices, worst := []status.Device{}, xdp.None
	for i, name := range a.deviceNames() {
		device, err := netlink.LinkByName(name)
		if err != nil {
			return devices, xdp.None
		}
		if mode := xdp.ModeOf(device.Attrs().Index); i == 0 || mode.Slower(worst) {
			worst = mode
		}
		entry := status.Device{Name: name, IP: []string{}}
		addresses, _ := netlink.AddrList(device, netlink.FAMILY_V4)
		for _, address := range addresses {
			entry.IP = append(entry.IP, address.IP.String())
		}
		devices = append(devices, entry)
	}
	return devices, worst
}

func (a *agent) deviceNames() []string {
	if names := a.devices.Load(); names != nil {
		return *names
	}
	return []string{}
}

// BEGIN vxlanAcceleration

func (a *agent) vxlanAcceleration(mode xdp.Mode) status.VXLANAcceleration {
	answer := status.VXLANAcceleration{
		State: "Disabled", Mode: string(mode), Devices: a.deviceNames(), Queues: a.settings.Queues,
	}
	if a.settings.VXLANAcceleration && mode != xdp.None {
		answer.State = "Active"
	}
	return answer
}

// END vxlanAcceleration
