"""How long readings and their versions are kept."""

from services.meter_reading_and_control.domain.calendar import market_day
from services.meter_reading_and_control.domain.retention import next_look, packable, too_old
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.store import Store
from shared.work import Wake, Work


@service.on_wake("retain", drives_time=False)
async def retain(_: Wake, work: Work[Store]) -> None:
    """Of the months that have had their time one goes, or is packed; when all have, it is looked again next month."""
    memory, months = work.store.memory, await work.store.months()
    today = market_day(work.now, memory.zone)
    gone = too_old(months, today - memory.kept)
    old = packable(months, await work.store.packed_months(), today - memory.versions)
    if gone:
        await work.store.drop_month(gone[0])
    elif old:
        await work.store.pack(old[0], work.now)
    more = await work.store.drop_registers(work.now - memory.kept)
    is_done = not more and len(gone) + len(old) <= 1
    work.wake("retain", "next", next_look(work.now, memory.zone) if is_done else work.now)
