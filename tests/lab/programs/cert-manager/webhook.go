package main

import (
	"context"
	"strings"

	webhook "github.com/cert-manager/cert-manager/internal/webhook"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
)

func runWebhook(ctx context.Context, args []string) error {
	config, err := options.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	flags := pflag.NewFlagSet("webhook", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	options.AddConfigFlags(flags, config)
	if err := flags.Parse(withoutVerbosity(args)); err != nil {
		return err
	}
	server, err := webhook.NewCertManagerWebhookServer(klog.Background(), *config)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}

// withoutVerbosity leaves out `--v=N`, which is a flag of the logger and not of the webhook.
func withoutVerbosity(args []string) []string {
	var kept []string
	for _, arg := range args {
		if !strings.HasPrefix(arg, "--v=") {
			kept = append(kept, arg)
		}
	}
	return kept
}
