"""An event-sourced inbound lead hub: requests come in, each becomes events of one lead."""

__version__ = "0.1.0"
