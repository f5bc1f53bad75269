"""Small pure functions on tensors that several layers share."""
