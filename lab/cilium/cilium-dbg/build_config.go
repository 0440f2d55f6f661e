package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"

	"lab.ciliumship.dev/cilium/pkg/config"
	"lab.ciliumship.dev/cilium/pkg/k8s"
)

// buildConfig joins what the cluster says and what is said for this node, into one file for each key.
func buildConfig(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("build-config", flag.ExitOnError)
	dest := flags.String("dest", "/tmp/cilium/config-map", "folder to write to")
	_ = flags.Parse(args)

	api, err := k8s.NewClient()
	if err != nil {
		return err
	}
	values, err := resolve(ctx, api, os.Getenv("K8S_NODE_NAME"), os.Getenv("CILIUM_K8S_NAMESPACE"))
	if err != nil {
		return err
	}
	fmt.Printf("%d keys written to %s\n", len(values), *dest)
	return config.WriteDir(*dest, values)
}

func resolve(ctx context.Context, api dynamic.Interface, nodeName, namespace string) (config.Map, error) {
	node, err := api.Resource(k8s.Nodes).Get(ctx, nodeName, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	object, err := api.Resource(k8s.ConfigMaps).Namespace(namespace).Get(ctx, "cilium-config", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	var cluster struct {
		Data config.Map `json:"data"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &cluster); err != nil {
		return nil, err
	}
	configs, err := nodeConfigs(ctx, api, namespace)
	if err != nil {
		return nil, err
	}
	return config.Merge(cluster.Data, node.GetLabels(), configs)
}

// nodeConfigs are all of the namespace. None when their kind is unknown: the operator makes it, and
// comes only after the first agents.
func nodeConfigs(ctx context.Context, api dynamic.Interface, namespace string) ([]config.NodeConfig, error) {
	list, err := api.Resource(k8s.NodeConfigs).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if errors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	configs := make([]config.NodeConfig, 0, len(list.Items))
	for _, item := range list.Items {
		var object struct {
			Spec struct {
				NodeSelector metav1.LabelSelector `json:"nodeSelector"`
				Defaults     config.Map           `json:"defaults"`
			} `json:"spec"`
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(item.Object, &object); err != nil {
			return nil, fmt.Errorf("CiliumNodeConfig %s: %w", item.GetName(), err)
		}
		configs = append(configs, config.NodeConfig{
			Name: item.GetName(), Selector: object.Spec.NodeSelector, Defaults: object.Spec.Defaults,
		})
	}
	return configs, nil
}
