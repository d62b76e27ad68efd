"""Who speaks: participants of a project, and the peers that resolve to them."""
