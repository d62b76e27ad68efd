"""Sessions, messages and attendance as callers read them."""

from datetime import datetime

from cortex.session.v1 import resources_pb2
from cortex.session.v1.resources_pb2 import SESSION_STATUS_ACTIVE, SESSION_STATUS_ENDED
from cortex.session.v1.session_service_pb2 import CaughtUp as CaughtUpMarker
from cortex.session.v1.session_service_pb2 import Interim, SessionOver, WatchMessagesResponse
from cortex.transcriber.v1.live_pb2 import LiveInterim
from cortex_eventing.times import span, stamp
from cortex_runtime.etags import etag_of
from google.protobuf.timestamp_pb2 import Timestamp

from cortex_session.domain.session import Session
from cortex_session.read_models.attendance import AttendanceRow, Visit
from cortex_session.read_models.messages import MessageRow
from cortex_session.watched import CaughtUp, Change, Over, Speaking, Stored


def session(of: Session, project_id: str) -> resources_pb2.Session:
    """A session of a project."""
    return resources_pb2.Session(
        id=of.session_id,
        project_id=project_id,
        external_room_id=of.room.external_room_id,
        gateway=of.room.gateway,
        title=of.title,
        status=SESSION_STATUS_ACTIVE if of.ended_at is None else SESSION_STATUS_ENDED,
        end_reason=of.end_reason,
        bot_status=of.bot_status,
        idle_timeout=span(of.idle_timeout) if of.idle_timeout else None,
        create_time=stamp(of.created_at),
        start_time=_stamp(of.started_at),
        end_time=_stamp(of.ended_at),
        etag=etag_of(of.version),
        language=of.language,
    )


def message(of: MessageRow) -> resources_pb2.Message:
    """A message."""
    return resources_pb2.Message(
        id=str(of.message_id),
        session_id=str(of.session_id),
        type=of.type,  # type: ignore[arg-type]
        participant_id=str(of.participant_id),
        external_user_id=of.external_user_id,
        sender_name=of.sender_name,
        content=of.content,
        timestamp=stamp(of.said_at),
        start_offset=span(of.start_offset),
        end_offset=span(of.end_offset),
        peer_id=of.peer_id,
        claim=of.claim,  # type: ignore[arg-type]
        confidence=of.confidence,
        language=of.language,
        model=of.model,
        utterance_id=of.utterance_id,
    )


def attendance(of: AttendanceRow) -> resources_pb2.Attendance:
    """A participant's presence."""
    return resources_pb2.Attendance(
        session_id=str(of.session_id),
        participant_id=str(of.participant_id),
        external_user_id=of.external_user_id,
        display_name=of.display_name,
        join_time=_stamp(of.joined_at),
        leave_time=_stamp(of.left_at),
        spoke=of.spoke,
        visits=[_visit(visit) for visit in of.visits],
    )


def change(of: Change) -> WatchMessagesResponse:
    """What a watcher is told."""
    match of:
        case Stored(row):
            return WatchMessagesResponse(message=message(row), position=row.position)
        case CaughtUp(position):
            return WatchMessagesResponse(caught_up=CaughtUpMarker(), position=position)
        case Speaking(interim):
            return WatchMessagesResponse(interim=_interim(interim))
        case Over(reason, position):
            return WatchMessagesResponse(
                session_over=SessionOver(reason=reason),  # type: ignore[arg-type]
                position=position,
            )


def _visit(of: Visit) -> resources_pb2.PeerVisit:
    return resources_pb2.PeerVisit(
        peer_id=str(of["peer_id"]),
        claim=of["claim"],  # type: ignore[arg-type]
        join_time=_written(of["joined_at"]),
        leave_time=_written(of["left_at"]),
    )


def _interim(of: LiveInterim) -> Interim:
    return Interim(
        participant_id=of.participant_id,
        peer_id=of.peer_id,
        text=of.text,
        start_offset=of.start_offset,
        stable_length=of.stable_length,
    )


def _stamp(at: datetime | None) -> Timestamp | None:
    return None if at is None else stamp(at)


def _written(text: object) -> Timestamp | None:
    return None if text is None else stamp(datetime.fromisoformat(str(text)))
