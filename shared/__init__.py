"""The kernel: everything that a service needs, and no business."""
