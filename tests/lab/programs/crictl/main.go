// Command crictl has the few subcommands of the real one that kind, the Docker provider and a person in the lab use:
// images, inspecti, ps, pods, info. The real crictl is no Go module that can be built from outside.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	endpoint = "unix:///run/containerd/containerd.sock"
	patience = 30 * time.Second
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := run(ctx, words(os.Args[1:])); err != nil {
		fmt.Fprintln(os.Stderr, "FATA[0000]", err)
		os.Exit(1)
	}
}

// words leaves flags out; there is one output format for each subcommand.
func words(args []string) []string {
	var kept []string
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			kept = append(kept, arg)
		}
	}
	return kept
}

func run(ctx context.Context, args []string) error {
	connection, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)))
	if err != nil {
		return err
	}
	defer connection.Close()
	images, runtime := cri.NewImageServiceClient(connection), cri.NewRuntimeServiceClient(connection)
	if len(args) == 0 {
		return fmt.Errorf("usage: crictl images|inspecti IMAGE|ps|pods|info")
	}
	switch command := args[0]; {
	case command == "inspecti" && len(args) == 2:
		return inspectImage(ctx, images, args[1])
	case command == "images":
		return listImages(ctx, images)
	case command == "ps":
		return listContainers(ctx, runtime)
	case command == "pods":
		return listPods(ctx, runtime)
	case command == "info":
		return showStatus(ctx, runtime)
	default:
		return fmt.Errorf("the lab's crictl does not know %q", strings.Join(args, " "))
	}
}

func inspectImage(ctx context.Context, client cri.ImageServiceClient, name string) error {
	answer, err := client.ImageStatus(ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}})
	if err != nil {
		return err
	}
	image := answer.Image
	if image == nil {
		return fmt.Errorf("no such image %q present", name)
	}
	return write(map[string]any{"status": map[string]any{
		"id": image.Id, "repoTags": image.RepoTags, "repoDigests": image.RepoDigests, "size": fmt.Sprint(image.Size),
	}})
}

func listImages(ctx context.Context, client cri.ImageServiceClient) error {
	answer, err := client.ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return err
	}
	for _, image := range answer.Images {
		fmt.Printf("%-80s %.20s %d\n", strings.Join(image.RepoTags, ","), image.Id, image.Size)
	}
	return nil
}

func listContainers(ctx context.Context, client cri.RuntimeServiceClient) error {
	answer, err := client.ListContainers(ctx, &cri.ListContainersRequest{})
	if err != nil {
		return err
	}
	for _, one := range answer.Containers {
		fmt.Printf("%.13s %-20s attempt %d %s/%s %s\n", one.Id, one.State, one.Metadata.Attempt,
			one.Labels["io.kubernetes.pod.namespace"], one.Labels["io.kubernetes.pod.name"], one.Metadata.Name)
	}
	return nil
}

func listPods(ctx context.Context, client cri.RuntimeServiceClient) error {
	answer, err := client.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return err
	}
	for _, pod := range answer.Items {
		fmt.Printf("%.13s %-20s %s/%s\n", pod.Id, pod.State, pod.Metadata.Namespace, pod.Metadata.Name)
	}
	return nil
}

func showStatus(ctx context.Context, client cri.RuntimeServiceClient) error {
	answer, err := client.Status(ctx, &cri.StatusRequest{Verbose: true})
	if err != nil {
		return err
	}
	return write(answer.Status)
}

func write(value any) error {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
