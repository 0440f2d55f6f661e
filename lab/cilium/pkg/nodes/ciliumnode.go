// Package nodes reads and writes CiliumNode objects: who is in the cluster, and which pod addresses
// are whose.
package nodes

import (
	"context"
	"fmt"
	"net/netip"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"lab.ciliumship.dev/cilium/pkg/k8s"
)

// Node is one CiliumNode.
type Node struct {
	Name     string
	Address  netip.Addr // invalid when it has none yet
	PodCIDRs []netip.Prefix
}

// List returns every CiliumNode of the cluster.
func List(ctx context.Context, api dynamic.Interface) ([]Node, error) {
	list, err := api.Resource(k8s.CiliumNodes).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	found := make([]Node, 0, len(list.Items))
	for i := range list.Items {
		found = append(found, fromObject(&list.Items[i]))
	}
	return found, nil
}

// Ensure creates the CiliumNode of a Kubernetes node, or corrects its address. It goes when the
// node's own object goes.
func Ensure(ctx context.Context, api dynamic.Interface, owner *unstructured.Unstructured, address netip.Addr) error {
	objects := api.Resource(k8s.CiliumNodes)
	found, err := objects.Get(ctx, owner.GetName(), metav1.GetOptions{})
	if errors.IsNotFound(err) {
		_, err = objects.Create(ctx, newObject(owner, address), metav1.CreateOptions{})
		return err
	}
	if err != nil || fromObject(found).Address == address {
		return err
	}
	if err := setAddress(found, address); err != nil {
		return err
	}
	_, err = objects.Update(ctx, found, metav1.UpdateOptions{})
	return err
}

// AddPodCIDR gives a CiliumNode its range of pod addresses.
func AddPodCIDR(ctx context.Context, api dynamic.Interface, name string, cidr netip.Prefix) error {
	objects := api.Resource(k8s.CiliumNodes)
	found, err := objects.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	cidrs := []string{cidr.String()}
	if err := unstructured.SetNestedStringSlice(found.Object, cidrs, "spec", "ipam", "podCIDRs"); err != nil {
		return err
	}
	_, err = objects.Update(ctx, found, metav1.UpdateOptions{})
	return err
}

// InternalIP is the address that a Kubernetes node has for the others.
func InternalIP(node *unstructured.Unstructured) (netip.Addr, error) {
	addresses, _, _ := unstructured.NestedSlice(node.Object, "status", "addresses")
	if address := internal(addresses, "address"); address.IsValid() {
		return address, nil
	}
	return netip.Addr{}, fmt.Errorf("node %s has no InternalIP", node.GetName())
}

func newObject(owner *unstructured.Unstructured, address netip.Addr) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetAPIVersion("cilium.io/v2")
	object.SetKind("CiliumNode")
	object.SetName(owner.GetName())
	object.SetOwnerReferences([]metav1.OwnerReference{
		{APIVersion: "v1", Kind: "Node", Name: owner.GetName(), UID: owner.GetUID()},
	})
	_ = setAddress(object, address)
	return object
}

func setAddress(object *unstructured.Unstructured, address netip.Addr) error {
	entry := map[string]any{"type": "InternalIP", "ip": address.String()}
	return unstructured.SetNestedSlice(object.Object, []any{entry}, "spec", "addresses")
}

func fromObject(object *unstructured.Unstructured) Node {
	node := Node{Name: object.GetName()}
	addresses, _, _ := unstructured.NestedSlice(object.Object, "spec", "addresses")
	node.Address = internal(addresses, "ip")
	cidrs, _, _ := unstructured.NestedStringSlice(object.Object, "spec", "ipam", "podCIDRs")
	for _, text := range cidrs {
		if cidr, err := netip.ParsePrefix(text); err == nil {
			node.PodCIDRs = append(node.PodCIDRs, cidr.Masked())
		}
	}
	return node
}

// internal is the first IPv4 address of type InternalIP; key is the field that holds it.
func internal(addresses []any, key string) netip.Addr {
	for _, entry := range addresses {
		fields, _ := entry.(map[string]any)
		text, _ := fields[key].(string)
		if address, err := netip.ParseAddr(text); err == nil && address.Is4() && fields["type"] == "InternalIP" {
			return address
		}
	}
	return netip.Addr{}
}
