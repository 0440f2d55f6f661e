package config

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func selecting(key, value string) metav1.LabelSelector {
	return metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
}

func TestTheLaterNodeConfigWinsAndOthersNodesDoNotCount(t *testing.T) {
	merged, err := Merge(
		Map{"mtu": "1500", "devices": "eth9", "ipam": "cluster-pool"},
		map[string]string{"role": "worker"},
		[]NodeConfig{
			{Name: "b", Selector: selecting("role", "worker"), Defaults: Map{"mtu": "1400"}},
			{Name: "a", Selector: selecting("role", "worker"), Defaults: Map{"mtu": "1300", "devices": "eth1"}},
			{Name: "c", Selector: selecting("role", "master"), Defaults: Map{"mtu": "1200"}},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	for key, wanted := range (Map{"mtu": "1400", "devices": "eth1", "ipam": "cluster-pool"}) {
		if merged[key] != wanted {
			t.Errorf("%s is %q, wanted %q", key, merged[key], wanted)
		}
	}
}

func TestEveryBadValueIsNamed(t *testing.T) {
	_, err := Parse(Map{"mtu": "big", "bpf-lb-acceleration": "generic", "kube-proxy-replacement": "strict"})
	for _, key := range []string{"mtu", "bpf-lb-acceleration", "kube-proxy-replacement"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is not named in: %v", key, err)
		}
	}
}

func TestDevicesAreSplitAtSpacesAndCommas(t *testing.T) {
	config, err := Parse(Map{"devices": "eth0, eth1 eth2"})
	if err != nil || len(config.Devices) != 3 || config.Devices[2] != "eth2" {
		t.Errorf("got %v, %v", config.Devices, err)
	}
}

func TestADirectoryHoldsOneFileForEachKey(t *testing.T) {
	dir := t.TempDir() + "/config-map"
	for _, values := range []Map{{"old": "1"}, {"mtu": "1400"}} {
		if err := WriteDir(dir, values); err != nil {
			t.Fatal(err)
		}
	}
	read, err := ReadDir(dir)
	if err != nil || len(read) != 1 || read["mtu"] != "1400" {
		t.Errorf("got %v, %v", read, err)
	}
}
