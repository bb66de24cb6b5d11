module kubectl-pivot/lab/pause

go 1.26.0
