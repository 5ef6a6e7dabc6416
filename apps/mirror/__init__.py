"""The tables of VirtualPyTest as Django models, and what the connected database really has of them."""
