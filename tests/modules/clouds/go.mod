// Pins the infrastructure providers whose CRDs and cluster templates the tests read. Nothing of them is built, so this
// is not a module to tidy: `go mod download MODULE@VERSION` needs no other module.
module kubectl-pivot/tests/clouds

go 1.26.0

require (
	sigs.k8s.io/cluster-api-provider-aws/v2 v2.13.0
	sigs.k8s.io/cluster-api-provider-azure v1.23.0
	sigs.k8s.io/cluster-api-provider-gcp v1.13.1
	sigs.k8s.io/cluster-api-provider-openstack v0.13.0
	sigs.k8s.io/cluster-api-provider-vsphere v1.14.0
)
