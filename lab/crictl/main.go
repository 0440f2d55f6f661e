// Crictl is the part of cri-tools that ciliumship uses: it asks the container runtime over the CRI
// and prints JSON in crictl's shapes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func main() {
	endpoint := flag.String("runtime-endpoint", "unix:///run/k3s/containerd/containerd.sock", "CRI socket")
	flag.Parse()
	if err := run(*endpoint, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "crictl:", err)
		os.Exit(1)
	}
}

func run(endpoint string, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: crictl images|inspecti|ps|pods|rmi [-o json] [ID]")
	}
	operands := operandsOf(args[1:])
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	connection, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	answer, err := ask(ctx, connection, args[0], operands)
	if err != nil || answer == nil {
		return err
	}
	text, err := protojson.MarshalOptions{Multiline: true, Indent: "  ", EmitUnpopulated: true}.Marshal(answer)
	if err == nil {
		fmt.Println(string(text))
	}
	return err
}

// operandsOf drops flags: the output is always JSON.
func operandsOf(args []string) []string {
	var operands []string
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-o", "--output":
			i++
		case "-a", "--all", "-q":
		default:
			operands = append(operands, args[i])
		}
	}
	return operands
}

func ask(ctx context.Context, connection *grpc.ClientConn, command string, operands []string) (proto.Message, error) {
	images, runtime := cri.NewImageServiceClient(connection), cri.NewRuntimeServiceClient(connection)
	switch command {
	case "images":
		return images.ListImages(ctx, &cri.ListImagesRequest{})
	case "inspecti":
		return inspect(ctx, images, operands)
	case "ps":
		return runtime.ListContainers(ctx, &cri.ListContainersRequest{})
	case "pods":
		return runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	case "rmi":
		for _, operand := range operands {
			if _, err := images.RemoveImage(ctx, &cri.RemoveImageRequest{Image: &cri.ImageSpec{Image: operand}}); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	return nil, fmt.Errorf("unknown command %q", command)
}

func inspect(ctx context.Context, images cri.ImageServiceClient, operands []string) (proto.Message, error) {
	if len(operands) != 1 {
		return nil, fmt.Errorf("inspecti takes one image")
	}
	answer, err := images.ImageStatus(ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: operands[0]}})
	if err == nil && answer.Image == nil {
		return nil, fmt.Errorf("no such image %q present", operands[0])
	}
	return answer, err
}
