// Package controllers stands in for the package of this path, of which Cilium uses one constant.
package controllers

// DerivedServiceAnnotation names, on a ServiceImport, the Service that it stands for.
const DerivedServiceAnnotation = "multicluster.kubernetes.io/derived-service"
