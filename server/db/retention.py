"""How long participants' data are kept after the end of a competition."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from server.db.columns import Base

SERVER = "server"  # the row of the whole server


class Retention(Base):
    """id: a competition's, or `SERVER`. days: null: for good. as_server: as the server has it. due_at: when the players
    are deleted; null while that is not known."""

    __tablename__ = "retention"

    id: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int | None]
    as_server: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None]
