// Command kindnetd is the lab's small CNI, under the name that kind gives its own: each node has a ptp network for its
// pod range, and a route to the pod range of every other node. It knows IPv4 only, and no network policies.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// How often the nodes are listed.
const interval = 2 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	client, err := connect()
	if err != nil {
		log.Fatal(err)
	}
	own := os.Getenv("HOST_IP")
	for ctx.Err() == nil {
		if err := reconcile(ctx, client, own); err != nil {
			log.Print(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
}

// connect reaches the API server directly if it is told where it is: Services work only once kube-proxy runs.
func connect() (*kubernetes.Clientset, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	config.Timeout = 10 * time.Second
	return kubernetes.NewForConfig(config)
}

// reconcile writes the CNI configuration of this node and the routes to the others.
func reconcile(ctx context.Context, client *kubernetes.Clientset, own string) error {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	for _, node := range nodes.Items {
		address := internalIPv4(&node)
		_, pods, err := net.ParseCIDR(node.Spec.PodCIDR)
		if address == nil || err != nil {
			continue // not there yet
		}
		if address.String() == own {
			err = writeConfig(node.Spec.PodCIDR)
		} else {
			err = netlink.RouteReplace(&netlink.Route{Dst: pods, Gw: address})
		}
		if err != nil {
			return fmt.Errorf("node %s: %w", node.Name, err)
		}
	}
	return nil
}

func internalIPv4(node *corev1.Node) net.IP {
	for _, address := range node.Status.Addresses {
		if ip := net.ParseIP(address.Address).To4(); ip != nil && address.Type == corev1.NodeInternalIP {
			return ip
		}
	}
	return nil
}
