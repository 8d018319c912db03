"""
What nodes have of one another in Redis, beside the journal: leases, cards, and the secret that they
share.
"""
