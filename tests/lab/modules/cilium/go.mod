module kubectl-pivot/lab/cilium

go 1.26.0

require github.com/cilium/cilium v1.20.2

// The commit that Cilium names is not served everywhere; this release has what it needs.
replace github.com/osrg/gobgp/v4 => github.com/osrg/gobgp/v4 v4.7.0

// Cilium uses one constant of it.
replace sigs.k8s.io/mcs-api/controllers => ./mcs-api-controllers

replace sigs.k8s.io/controller-tools => github.com/cilium/controller-tools v0.21.0-1
