package config

import (
	"fmt"
	"maps"
	"sort"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// NodeConfig is what matters of a CiliumNodeConfig.
type NodeConfig struct {
	Name     string
	Selector metav1.LabelSelector
	Defaults Map
}

// Merge puts the keys of every NodeConfig that selects the node over the cluster's. Of two that set
// the same key, the one with the later name wins.
func Merge(cluster Map, node map[string]string, configs []NodeConfig) (Map, error) {
	sorted := append([]NodeConfig(nil), configs...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	merged := maps.Clone(cluster)
	if merged == nil {
		merged = Map{}
	}
	for _, config := range sorted {
		selector, err := metav1.LabelSelectorAsSelector(&config.Selector)
		if err != nil {
			return nil, fmt.Errorf("CiliumNodeConfig %s: %w", config.Name, err)
		}
		if selector.Matches(labels.Set(node)) {
			maps.Copy(merged, config.Defaults)
		}
	}
	return merged, nil
}
