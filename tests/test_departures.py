"""Those who were here, remembered for a while."""

from __future__ import annotations

from chatservice.controller import requests
from chatservice.controller.entities import Departure
from chatservice.controller.records import Record, restore, take_dirty
from chatservice.controller.state import DEPARTURES, RecordKey, State
from tests.test_requests import RequestCase
from tests.test_state import all_records


class DepartureTests(RequestCase):
    def test_who_goes_is_remembered_as_they_were_known(self) -> None:
        event = requests.log_in(
            self.state, self.policy, self.name("Ann"), None, host="a.ip", realname="Ann Other"
        )
        self.apply(event)

        self.leave("ann")

        [departure] = self.state.departures.values()
        self.assertEqual(
            departure, Departure("ann", "Ann", "a.ip", "Ann Other", "", self._last * 1000)
        )

    def test_so_is_who_is_called_something_else(self) -> None:
        ann = self.account("ann")

        self.do(requests.change_nick, ann, "zoe")

        [departure] = self.state.departures.values()
        self.assertEqual((departure.nick, departure.account_nick), ("Ann", "Ann"))

    def test_only_the_last_are(self) -> None:
        for _ in range(DEPARTURES + 20):
            self.guest("ann")
            self.leave("ann")

        self.assertEqual(list(self.state.departures), list(range(21, DEPARTURES + 21)))

    def test_the_records_follow(self) -> None:
        records: dict[RecordKey, Record] = {}
        for count in range(2 * DEPARTURES):
            self.guest("ann")
            self.leave("ann")
            if count % 7 == 0:
                self.keep(records)
        self.keep(records)

        self.assertEqual(records, dict(all_records(self.state)))
        self.assertEqual(len(records), DEPARTURES)

    def keep(self, records: dict[RecordKey, Record]) -> None:
        for key, record in take_dirty(self.state).items():
            if record is None:
                records.pop(key, None)
            else:
                records[key] = record

    def test_they_outlive_a_restart_in_their_order_and_go_on(self) -> None:
        for key in [f"user{number}" for number in range(12)]:
            self.guest(key)
            self.leave(key)

        # As a journal has them, 1 is followed by 10.
        again = restore(sorted(all_records(self.state)))

        self.assertEqual(list(again.departures.items()), list(self.state.departures.items()))
        self.goes_on(again)

    def goes_on(self, state: State) -> None:
        self.state = state
        self.guest("ann")
        self.leave("ann")
        self.assertEqual([*state.departures][-2:], [12, 13])
