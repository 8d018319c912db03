from __future__ import annotations
import os, sys
from collections import Counter
from hypothesis import given, settings, HealthCheck, strategies as st
from tests.test_nodes_model import *
from chatservice.controller.session.returning import Returning
from chatservice.controller.state import State
from chatservice.delivery.telling import Delivery
C = Counter()
def count(cls, name):
    f = getattr(cls, name)
    def g(self, *a, **k):
        C[name if name != "_give_up" else f"give up: {a[0]}"] += 1
        return f(self, *a, **k)
    setattr(cls, name, g)
for n in ("lapsed","displaced","_give_up","_undo","forgotten"): count(Returning, n)
ap = State.apply
def apply(self, e):
    try:
        ap(self, e); C["ok "+e.kind]+=1
    except Exception as x:
        C[f"late {e.kind} {type(x).__name__}"]+=1; raise
State.apply = apply
class T(NodesCase):
    def test_many(self):
        n = int(os.environ.get("N","300"))
        @settings(max_examples=n, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(STEPS, min_size=40, max_size=120))
        def check(steps): Play(self).play(steps)
        try: check()
        finally:
            for k,v in sorted(C.items()): print(v,k)
