"""What a cluster of Kubernetes shows of changes: its objects, read and watched."""
