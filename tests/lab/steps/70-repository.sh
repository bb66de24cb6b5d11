# shellcheck shell=bash
# A local repository for clusterctl: the components of each provider, rendered from its module, with the images of the
# lab, and a clusterctl.yaml that leads there, where clusterctl looks for it by itself.

title="clusterctl repository"

repository_key() {
    key_of "$lab/steps/70-repository.sh" "$lab/versions.sh" "in $repository" "$lab/programs/cert-manager/go.mod" \
        "$project/crates/sandbox/parts/cluster-api/go.mod" "$project/tests/modules/helm-addon/go.mod" "$(readlink "$programs/kubectl")"
}

is_done() {
    [[ -e $repository/.key && $(<"$repository/.key") == "$(repository_key)" && -e $run/home/.config/cluster-api/clusterctl.yaml ]]
}

make_it() {
    local parts=$project/crates/sandbox/parts/cluster-api capi docker addon
    capi=$(module_folder "$parts" sigs.k8s.io/cluster-api)
    docker=$(module_folder "$parts" sigs.k8s.io/cluster-api/test)/infrastructure/docker
    addon=$(module_folder "$project/tests/modules/helm-addon" sigs.k8s.io/cluster-api-addon-provider-helm)
    rm -rf "$repository"
    provider cluster-api "$capi_version" core-components.yaml "$capi/core/config/default"
    provider bootstrap-kubeadm "$capi_version" bootstrap-components.yaml "$capi/bootstrap/kubeadm/config/default"
    provider control-plane-kubeadm "$capi_version" control-plane-components.yaml "$capi/controlplane/kubeadm/config/default"
    provider infrastructure-docker "$capd_version" infrastructure-components-development.yaml "$docker/config/default"
    provider addon-helm "$helm_addon_version" addon-components.yaml "$addon/config/default" "$addon"
    cp --no-preserve=mode "$docker"/templates/*.yaml "$repository/infrastructure-docker/$capd_version/"
    cert_manager
    mkdir -p "$run/home/.config/cluster-api"
    clusterctl_config >"$run/home/.config/cluster-api/clusterctl.yaml"
    repository_key >"$repository/.key"
}

# provider LABEL VERSION FILE KUSTOMIZATION [MODULE_FOLDER]: one that is no part of Cluster API has metadata of its own.
provider() {
    local folder=$repository/$1/$2
    mkdir -p "$folder"
    "$programs/kubectl" kustomize "$4" | with_images >"$folder/$3"
    cp --no-preserve=mode "${5:-$capi}/metadata.yaml" "$folder/"
}

# Names of images as released manifests have them. They are in the nodes already, and nowhere else.
with_images() {
    sed -e "s#gcr.io/k8s-staging-cluster-api/\(cluster-api\|kubeadm-bootstrap\|kubeadm-control-plane\)-controller:main#registry.k8s.io/cluster-api/\1-controller:$capi_version#" \
        -e "s#\(capd-manager\):main#\1:$capd_version#" \
        -e "s#gcr.io/k8s-staging-cluster-api-helm/\(cluster-api-helm-controller\):latest#registry.k8s.io/cluster-api-helm/\1:$helm_addon_version#" \
        -e 's#^\( *imagePullPolicy: \)Always#\1IfNotPresent#'
}

cert_manager() {
    local folder=$repository/cert-manager/$cert_manager_version
    chart=$(mktemp -d)
    trap 'rm -rf "$chart"' EXIT
    cp -r --no-preserve=mode "$(module_folder "$lab/programs/cert-manager" github.com/cert-manager/cert-manager)/deploy/charts/cert-manager/." "$chart/"
    sed -i "s/v0\.0\.0/$cert_manager_version/" "$chart/Chart.yaml"
    mkdir -p "$folder"
    {
        printf 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: cert-manager\n'
        "$programs/helm" template cert-manager "$chart" --namespace cert-manager --kube-version "$kubernetes_version" \
            --set crds.enabled=true --set startupapicheck.enabled=false
    } >"$folder/cert-manager.yaml"
}

clusterctl_config() {
    cat <<EOF
cert-manager:
  url: $repository/cert-manager/$cert_manager_version/cert-manager.yaml
  version: $cert_manager_version
providers:
  - name: cluster-api
    type: CoreProvider
    url: $repository/cluster-api/$capi_version/core-components.yaml
  - name: kubeadm
    type: BootstrapProvider
    url: $repository/bootstrap-kubeadm/$capi_version/bootstrap-components.yaml
  - name: kubeadm
    type: ControlPlaneProvider
    url: $repository/control-plane-kubeadm/$capi_version/control-plane-components.yaml
  - name: docker
    type: InfrastructureProvider
    url: $repository/infrastructure-docker/$capd_version/infrastructure-components-development.yaml
  - name: helm
    type: AddonProvider
    url: $repository/addon-helm/$helm_addon_version/addon-components.yaml
CLUSTER_TOPOLOGY: "true"
CAPD_DOCKER_HOST: ""
EOF
}
