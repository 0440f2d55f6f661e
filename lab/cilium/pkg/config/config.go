package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Values of the key bpf-lb-acceleration.
const (
	Disabled    = "disabled"
	Native      = "native"
	BestEffort  = "best-effort"
	TestingOnly = "testing-only"
)

// Config is what agent and operator understand of cilium-config.
type Config struct {
	MTU                  int      // 0: that of the device less the VXLAN header
	Devices              []string // empty: the one with the node's address
	Acceleration         string
	KubeProxyReplacement bool
	CNIExclusive         bool
	PodCIDRs             []netip.Prefix
	PodMaskSize          int
	PodWatcherInterval   string // only the operator reads it
	// BEGIN vxlanAcceleration
	VXLANAcceleration bool
	Queues            int
	// END vxlanAcceleration

	// Switches for tests of what happens when an agent is bad.
	CrashOnStart string        // message; empty: do not
	FailAfter    time.Duration // counted from ready; 0: do not
	DropAll      bool          // the XDP program lets no packet in
}

// Parse reads the keys and reports every bad value at once.
func Parse(values Map) (Config, error) {
	p := parser{values: values}
	config := Config{
		MTU:                  p.number("mtu", 0, 0, 65535),
		Devices:              words(values["devices"]),
		Acceleration:         p.oneOf("bpf-lb-acceleration", Disabled, Native, BestEffort, TestingOnly),
		KubeProxyReplacement: p.boolean("kube-proxy-replacement", false),
		CNIExclusive:         p.boolean("cni-exclusive", true),
		PodCIDRs:             p.prefixes("cluster-pool-ipv4-cidr"),
		PodMaskSize:          p.number("cluster-pool-ipv4-mask-size", 24, 8, 30),
		PodWatcherInterval:   values["unmanaged-pod-watcher-interval"],
		CrashOnStart:         values["crash-on-start"],
		DropAll:              p.boolean("xdp-drop", false),
		FailAfter:            time.Duration(p.number("fail-after", 0, 0, 86400)) * time.Second,
	}
	// BEGIN vxlanAcceleration
	config.VXLANAcceleration = p.boolean("enable-vxlan-acceleration", false)
	config.Queues = p.number("vxlan-acceleration-queues", 1, 1, 1024)
	// END vxlanAcceleration
	p.oneOf("routing-mode", "tunnel")
	p.oneOf("tunnel-protocol", "vxlan")
	return config, errors.Join(p.problems...)
}

// words splits at white space and commas.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
}

type parser struct {
	values   Map
	problems []error
}

func (p *parser) problem(key, wanted string) {
	p.problems = append(p.problems, fmt.Errorf("%s: %q is not %s", key, p.values[key], wanted))
}

func (p *parser) number(key string, missing, least, most int) int {
	if p.values[key] == "" {
		return missing
	}
	value, err := strconv.Atoi(p.values[key])
	if err != nil || value < least || value > most {
		p.problem(key, fmt.Sprintf("a number from %d to %d", least, most))
	}
	return value
}

func (p *parser) boolean(key string, missing bool) bool {
	if p.values[key] == "" {
		return missing
	}
	value, err := strconv.ParseBool(p.values[key])
	if err != nil {
		p.problem(key, "true or false")
	}
	return value
}

// oneOf takes the first choice when the key is missing.
func (p *parser) oneOf(key string, choices ...string) string {
	value := p.values[key]
	if value == "" {
		return choices[0]
	}
	for _, choice := range choices {
		if value == choice {
			return value
		}
	}
	p.problem(key, "one of "+strings.Join(choices, ", "))
	return value
}

func (p *parser) prefixes(key string) []netip.Prefix {
	var found []netip.Prefix
	for _, word := range words(p.values[key]) {
		prefix, err := netip.ParsePrefix(word)
		if err != nil || !prefix.Addr().Is4() {
			p.problem(key, "a list of IPv4 CIDRs")
			continue
		}
		found = append(found, prefix.Masked())
	}
	return found
}
