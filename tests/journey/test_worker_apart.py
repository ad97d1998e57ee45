"""One worker per platform: what befalls one of them is no concern of the other's."""

from __future__ import annotations

import json

from worker_scene import DATASET, Scene

OTHER_DATASET = "987654321098765"


def test_an_outage_of_one_platform_delays_no_other(scene: Scene) -> None:
    """While one platform is away its worker waits and its lag stays; the other delivers, commits and is ready."""
    text = (scene.folder / "destinations.yaml").read_text(encoding="utf-8")
    described = json.loads(text.replace(DATASET, OTHER_DATASET))
    (scene.folder / "other.yaml").write_text(json.dumps(described), encoding="utf-8")
    scene.sandbox.add_fault("status", status=503, in_path=OTHER_DATASET)
    scene.publish(1000)
    well = scene.start("well")
    ill = scene.start(
        "ill",
        CAPI_WORKER_NAME="ill",
        CAPI_GROUP=f"{scene.group}-ill",
        CAPI_DESTINATIONS_FILE=str(scene.folder / "other.yaml"),
    )
    scene.wait_settled(well)
    ill.wait_until(lambda: ill.total("capi_in_flight_records") == 1000, 20, "waits out the outage with all of it")

    # The lag is told once a second.
    well.wait_until(lambda: well.total("capi_consumer_lag_records") == 0, 5, "has no lag")

    assert ([], 0) == (scene.faults(), scene.duplicates())
    assert [True, 1000] == [well.readyz()["ready"], well.total("capi_events_accepted_total")]
    scene.sandbox.clear_faults()
    ill.wait_until(lambda: ill.total("capi_events_accepted_total") == 1000, 40, "delivered everything")
    assert [0, 0] == [well.terminate(), ill.terminate()]
