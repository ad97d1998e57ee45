"""How the road is put together: from settings to a worker and, where a platform decides later, a follower.

Nothing runs here.
What everybody shares (the wire, secrets, clocks, chance, where to tell) comes in as the lanes' `World`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from pipeline import __version__
from pipeline.config.followed import followed
from pipeline.config.kafka_settings import consumer_config, producer_config
from pipeline.config.settings import Settings
from pipeline.core.budget import Allowance, Budget
from pipeline.core.ledger import Ledger
from pipeline.core.letter import Undertaker
from pipeline.core.ports import Registry
from pipeline.core.replay import ReplayTopic, replay_posting
from pipeline.core.status import Status
from pipeline.edge.archive import KafkaArchive
from pipeline.edge.dead_letters import KafkaDeadLetters, letter_outbox
from pipeline.edge.kafka import KafkaSource
from pipeline.edge.outbox import KafkaOutbox
from pipeline.edge.readers import Readers
from pipeline.edge.schema_files import load_contract
from pipeline.edge.secrets import Secrets
from pipeline.flow.errands import Means
from pipeline.flow.filing import Files, filing_posting
from pipeline.flow.follower import Follower, Manner, Tools, closed_posting
from pipeline.flow.graveyard import Graveyard
from pipeline.flow.inquiries import Followed, Inquiries
from pipeline.flow.intake import Bounds, Inlet, Intake
from pipeline.flow.lanes import Lanes
from pipeline.flow.line import World
from pipeline.flow.prepare import Preparer
from pipeline.flow.worker import Parts, Tempo, Worker
from pipeline.platforms import PLATFORMS
from pipeline.platforms.base import Platform


class Assembly:
    """Builds the parts of one worker process. `secrets` are Kafka's as well as the platforms'."""

    def __init__(
        self, settings: Settings, secrets: Secrets, world: World, status: Status, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._world = world
        self._status = status
        self._loop = loop
        self._producing = producer_config(settings.kafka, secrets)

    def worker(self, platforms: Sequence[Platform], lanes: Lanes, registry: Registry | None) -> Worker:
        """Build the owner thread's part of the road, with the consumer and the ways to our own topics."""
        settings, world = self._settings, self._world
        readers = Readers(load_contract(), settings.source_topics, registry, self._loop, world.teller, world.chance)
        ledger = Ledger()
        undertaker = Undertaker(settings.group_id, __version__)
        dead_letters = KafkaDeadLetters(self._producing, settings.dead_letters.topic, undertaker, world.clocks.wall)
        files = self._files()
        intake = settings.intake
        source = KafkaSource(
            self._consuming(settings.group_id),
            settings.topics_read,
            start_from=intake.start_from,
            on_lost_offsets=intake.on_lost_offsets,
            teller=world.teller,
        )
        letters = settings.dead_letters
        allowance = Allowance(letters.budget_ratio, letters.budget_window_seconds, letters.budget_minimum_records)
        graveyard = Graveyard(dead_letters, Budget(allowance), world.teller, world.clocks.steady, world.chance)
        replays = settings.replay.topic and ReplayTopic(settings.replay.topic, settings.source_topics)
        preparer = Preparer(platforms, readers, ledger, replays or None)
        inlet = Inlet(source, preparer, readers, ledger, graveyard, world.teller, world.clocks, files)
        bounds = Bounds(
            intake.max_records, intake.max_bytes, intake.max_span_offsets, intake.batch_records, intake.poll_seconds
        )
        parts = Parts(
            source=source,
            intake=Intake(inlet, bounds),
            graveyard=graveyard,
            lanes=lanes,
            ledger=ledger,
            teller=world.teller,
            status=self._status,
            steady=world.clocks.steady,
            files=files,
        )
        tempo = Tempo(
            turn=intake.poll_seconds,
            commit=intake.commit_interval_seconds,
            revoke=settings.stop.revoke_deadline_seconds,
            drain=settings.stop.drain_deadline_seconds,
        )
        return Worker(parts, tempo)

    def _files(self) -> Files | None:
        settings, world = self._settings, self._world
        if settings.receipts.topic is None:
            return None
        outbox = KafkaOutbox(self._producing, settings.receipts.topic, filing_posting)
        return Files(outbox, settings.group_id, world.teller, world.clocks, world.chance)

    def _consuming(self, group: str) -> Mapping[str, object]:
        return consumer_config(self._settings.kafka, group, self._secrets)

    def follower(self, platforms: Sequence[Platform]) -> Follower | None:
        """Build what follows up acceptances, if there is a topic for their receipts.

        Without a destination that gives any now, there may still be receipts of one that did.
        """
        settings, group, world = self._settings, self._settings.group_id, self._world
        receipts, replays = settings.receipts.topic, settings.replay.topic
        if receipts is None or replays is None:
            return None
        names = {each.name for each in followed([one.destination for one in platforms], PLATFORMS)}
        ours = [
            Followed(each, follow(each.destination))
            for each in platforms
            if each.destination.name in names and (follow := PLATFORMS[each.destination.platform].follow) is not None
        ]
        producing = self._producing
        undertaker = Undertaker(group, __version__)
        means = Means(
            archive=KafkaArchive(self._consuming(f"{group}.archive")),
            letters=letter_outbox(producing, settings.dead_letters.topic, undertaker, world.clocks.wall),
            replays=KafkaOutbox(producing, replays, replay_posting),
            teller=world.teller,
            clocks=world.clocks,
            chance=world.chance,
        )
        source = KafkaSource(
            self._consuming(f"{group}.receipts"),
            [receipts],
            on_lost_offsets="earliest",
            teller=world.teller,
        )
        inquiries = Inquiries(ours, world, self._loop)
        tools = Tools(source, means, KafkaOutbox(producing, receipts, closed_posting), inquiries, group)
        return Follower(ours, tools, Manner(rate=settings.receipts.requests_per_second))
