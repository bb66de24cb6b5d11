// Command cert-manager runs one of the three programs of cert-manager: controller, cainjector or webhook. The library module
// has everything but their main functions, which are published separately.
//
// For the lab only: of the issuers it has self-signed and CA, there is no leader election, and of the controller's and
// the cainjector's flags it knows none; it accepts and ignores what the chart gives them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctrl.SetLogger(klog.Background())
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: cert-manager controller|cainjector|webhook [FLAG...]")
	}
	switch part := args[0]; part {
	case "controller":
		return runController(ctx)
	case "cainjector":
		return runInjector(ctx)
	case "webhook":
		return runWebhook(ctx, args[1:])
	default:
		return fmt.Errorf("unknown part %q", part)
	}
}
