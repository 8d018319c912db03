"""
What is to be done, by the command line and by where standard input and output lead: the screen,
or what the line tool says and shows.
"""

from __future__ import annotations

from dataclasses import dataclass

from .options import LINES, Options


class Unclear(Exception):
    """It can't be told what is wanted; the words say what would tell it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    @ivar screen: the full-screen chat; the rest is for the line tool.
    @ivar say: the texts to say; `options.LINES` among them for the lines of standard input.
    @ivar history: how many of the last messages to show first.
    @ivar tail: show what is said.
    @ivar until_input_ends: even so, end when standard input does.
    """

    screen: bool = False
    say: tuple[str, ...] = ()
    history: int = 0
    tail: bool = False
    until_input_ends: bool = False


def plan(options: Options, *, typed: bool, seen: bool) -> Plan:
    """
    @param typed: standard input is a terminal.
    @param seen: standard output is one.
    @raise Unclear: there is nothing that could be meant.
    """
    if options.say or options.tail or options.history:
        return Plan(say=options.say, history=options.history, tail=options.tail)
    if typed and seen and options.screen:
        return Plan(screen=True)
    if options.rooms or options.to:
        if not typed:
            return Plan(say=(LINES,))
        if not options.screen:
            return Plan(say=(LINES,), tail=True, until_input_ends=True)
        raise Unclear("the screen needs a terminal; for a pipe or a file give --tail or --history")
    if options.register:
        return Plan()
    raise Unclear("where to? give --room or --to; or --tail, for what is said to you")
