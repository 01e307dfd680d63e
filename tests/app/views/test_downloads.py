"""The files of a run's points, to the byte."""

from __future__ import annotations

from app.views import downloads
from core.run.adaptation import Adapted, Share
from core.run.events import Point
from tests.core.studies.made import findings

POINTS = [
    [Point(step=1, epoch=1 / 12, split="train", loss=2.25, top1=0.1, lr=0.1), Point(2, 1 / 6, "train", 1e-07, 1.0)],
    [Point(step=12, epoch=1.0, split="test", loss=1.5, top1=1 / 3, top5=0.75)],
]


def test_csv() -> None:
    assert "".join(downloads.points_csv(POINTS)) == (
        "step,epoch,split,loss,top1,top5,lr\r\n"
        "1,0.08333333333333333,train,2.25,0.1,,0.1\r\n"
        "2,0.16666666666666666,train,1e-07,1.0,,\r\n"
        "12,1.0,test,1.5,0.3333333333333333,0.75,\r\n"
    )


def test_json() -> None:
    assert b"".join(downloads.points_json("abc", POINTS)).decode() == (
        '{"id":"abc","points":['
        '{"step":1,"epoch":0.08333333333333333,"split":"train","loss":2.25,"top1":0.1,"top5":null,"lr":0.1},'
        '{"step":2,"epoch":0.16666666666666666,"split":"train","loss":1e-7,"top1":1.0,"top5":null,"lr":null},\n'
        '{"step":12,"epoch":1.0,"split":"test","loss":1.5,"top1":0.3333333333333333,"top5":0.75,"lr":null}]}'
    )


def test_the_description_of_the_api_tells_each_quantity() -> None:
    schema = downloads.PointView.model_json_schema()
    assert tuple(schema["properties"]) == tuple(schema["required"]) == Point._fields


def test_an_adaptation_as_csv() -> None:
    share = Share(share=0.5, low=0.4, high=0.6)
    fields = {"images": 100, "trained": Share(share=0.25, low=0.2, high=0.3), "statistics": share, "entropy": share}
    rows = (Adapted(corruption=None, severity=0, **fields), Adapted(corruption="blur", severity=3, **fields))
    assert downloads.findings_csv(findings().model_copy(update={"adapted": rows}), "adapted") == (
        "corruption,severity,images,trained,trained_low,trained_high,statistics,statistics_low,statistics_high,"
        "entropy,entropy_low,entropy_high\r\n"
        "none,0,100,0.25,0.2,0.3,0.5,0.4,0.6,0.5,0.4,0.6\r\n"
        "blur,3,100,0.25,0.2,0.3,0.5,0.4,0.6,0.5,0.4,0.6\r\n"
    )
