"""What a panel draws: its frames and options as plain values that a browser turns into marks without thinking.

Texts, colours, scales, stacks, ticks, links and orders are worked out here; the browser measures and places.
"""
