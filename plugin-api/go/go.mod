module github.com/kubectl-pivot/kubectl-pivot/plugin-api/go

go 1.24
