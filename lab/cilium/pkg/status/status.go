// Package status is what the agent tells about itself, over a socket on its node.
package status

import "net/netip"

// Socket is where the agent answers.
const Socket = "/var/run/cilium/cilium.sock"

// Status is the answer to `cilium-dbg status -o json`.
type Status struct {
	Cilium     State                `json:"cilium"`
	Kubernetes State                `json:"kubernetes"`
	KPR        KubeProxyReplacement `json:"kube-proxy-replacement"`
	// BEGIN vxlanAcceleration
	VXLANAcceleration VXLANAcceleration `json:"vxlan-acceleration"`
	// END vxlanAcceleration
	IPAM IPAM `json:"ipam"`
}

// State is Ok when everything is in place, else Warning; the message says more.
type State struct {
	State   string `json:"state"`
	Message string `json:"msg"`
}

// KubeProxyReplacement names the devices that the programs are for.
type KubeProxyReplacement struct {
	Mode       string   `json:"mode"` // True or False
	DeviceList []Device `json:"deviceList"`
	Features   Features `json:"features"`
}

// Device is an interface of the node with its addresses.
type Device struct {
	Name string   `json:"name"`
	IP   []string `json:"ip"`
}

// Features has one entry, as far as the sample goes.
type Features struct {
	NodePort NodePort `json:"nodePort"`
}

// NodePort says how far packets come before a program sees them.
type NodePort struct {
	Acceleration string `json:"acceleration"` // Native, Generic or Disabled
	Mode         string `json:"mode"`
}

// BEGIN vxlanAcceleration

// VXLANAcceleration is what the patch adds.
type VXLANAcceleration struct {
	State   string   `json:"state"` // Active or Disabled
	Mode    string   `json:"mode"`  // native, generic or disabled
	Devices []string `json:"devices"`
	Queues  int      `json:"queues"`
}

// END vxlanAcceleration

// IPAM has the ranges of which the node's pods get their addresses.
type IPAM struct {
	PodCIDRs []netip.Prefix `json:"podCIDRs"`
}

// Peer is a node to ask for its health.
type Peer struct {
	Name    string     `json:"name"`
	Address netip.Addr `json:"address"`
}

// Peers is the answer that `cilium-health` works with.
type Peers struct {
	Local string `json:"local"`
	Nodes []Peer `json:"nodes"`
}
