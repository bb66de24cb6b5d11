// Package controllers has the one name that Cilium takes from the module of this path.
package controllers

// DerivedServiceAnnotation is the annotation of a ServiceImport that names the Service behind it.
const DerivedServiceAnnotation = "multicluster.kubernetes.io/derived-service"
