"""A real Kubernetes API server with Traefik in front, in a network namespace of its own, for tests."""

from .cluster import Cluster
from .conditions import conditions_of, is_true
from .errors import ApiError, ClusterError, KubectlError
from .waiting import wait_until

__all__ = ["ApiError", "Cluster", "ClusterError", "KubectlError", "conditions_of", "is_true", "wait_until"]
