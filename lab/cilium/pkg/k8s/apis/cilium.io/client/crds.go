// Package client holds the custom resource definitions and brings them into the cluster.
package client

import (
	"context"
	"embed"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"lab.ciliumship.dev/cilium/pkg/k8s"
)

//go:embed crds/v2/*.yaml
var files embed.FS

const folder = "crds/v2"

// Register creates every definition, or gives it the spec of this build when it has another.
func Register(ctx context.Context, api dynamic.Interface) error {
	entries, err := files.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		wanted, err := read(folder + "/" + entry.Name())
		if err != nil {
			return err
		}
		if err := register(ctx, api.Resource(k8s.CRDs), wanted); err != nil {
			return fmt.Errorf("%s: %w", wanted.GetName(), err)
		}
	}
	return nil
}

func read(file string) (*unstructured.Unstructured, error) {
	text, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	crd := &unstructured.Unstructured{}
	return crd, yaml.Unmarshal(text, &crd.Object)
}

func register(ctx context.Context, crds dynamic.ResourceInterface, wanted *unstructured.Unstructured) error {
	_, err := crds.Create(ctx, wanted, metav1.CreateOptions{})
	if !errors.IsAlreadyExists(err) {
		return err
	}
	found, err := crds.Get(ctx, wanted.GetName(), metav1.GetOptions{})
	if err != nil || equality.Semantic.DeepDerivative(wanted.Object["spec"], found.Object["spec"]) {
		return err
	}
	found.Object["spec"] = wanted.Object["spec"]
	_, err = crds.Update(ctx, found, metav1.UpdateOptions{})
	return err
}
