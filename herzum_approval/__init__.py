"""A small, durable approval server that speaks the REST API of Herzum Approval."""

__version__ = "0.1.0"
