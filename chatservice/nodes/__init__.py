"""
Several servers that are one service: who of them is there, and what becomes of the users of one
that is not. What is stored where is not known here.
"""
