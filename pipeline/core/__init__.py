"""The pure core: no clock, no chance, no I/O, no logging. Time, randomness and settings come in as arguments.

The road of one event, and where each step lives:

| #  | step                                                    | where                                            |
|----|---------------------------------------------------------|--------------------------------------------------|
| 1  | Kafka bytes → record                                    | `edge.kafka`, `flow.intake`                      |
| 2  | record → event, by the writer's schema resolved to ours | `core.decode`, `core.avro`                       |
| 3  | event → the destinations that rule and consent allow    | `core.route`, `core.consent`                     |
| 4  | event → one delivery per destination                    | `platforms.meta`, `core.identify`, `core.normalize` |
| 5  | position → open deliveries in the ledger                | `core.ledger`                                    |
| 6  | delivery → batch (by count, by bytes, by age)           | `core.batch`, `flow.lane`                        |
| 7  | batch → permission to go                                | `core.pace`, `core.breaker`, `flow.line`         |
| 8  | batch → request → reply                                 | `platforms.meta`, `edge.http`                    |
| 9  | reply → verdict on the batch                            | `platforms.meta_replies`, `core.split`           |
| 10 | verdict → settle, wait, bury or halt                    | `flow.lane`, `flow.graveyard`, `core.letter`     |
| 11 | watermark → committed offset                            | `core.ledger`, `flow.worker`, `edge.kafka`       |

Steps 2 to 5 happen in `flow.prepare`, on the thread that owns the consumer; steps 6 to 9 on the event loop.
"""
