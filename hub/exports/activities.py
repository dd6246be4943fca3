"""What an event is called in an exported log, and which events are steps of the process that its BPMN draws."""

from __future__ import annotations

from typing import NamedTuple

from hub.domain import events as e
from hub.domain.event import Event
from hub.domain.process import Process, Titled

ACTIVITIES: dict[type[Event], tuple[str, str]] = {
    e.LeadReceived: ("Заявка пришла", "Request received"),
    e.MessageReceived: ("Клиент написал", "Client wrote"),
    e.LeadTitled: ("Карточка названа", "Card titled"),
    e.PersonAdded: ("Добавлен человек", "Person added"),
    e.PersonNamed: ("Уточнено имя", "Person named"),
    e.AddressAdded: ("Добавлен адрес", "Address added"),
    e.AddressRetired: ("Адрес больше не служит", "Address retired"),
    e.TimezoneLearned: ("Узнали часовой пояс", "Time zone learned"),
    e.PlaceLearned: ("Узнали город", "Place learned"),
    e.CallTimeAgreed: ("Согласовано время звонка", "Call time agreed"),
    e.ConsentGiven: ("Согласие на обработку данных", "Consent answered"),
    e.CompanyNamed: ("Названа компания", "Company named"),
    e.DecisionMakerChanged: ("Назван ЛПР", "Decision maker named"),
    e.ContactChanged: ("Сменился контакт", "Contact changed"),
    e.LeadAbsorbed: ("Присоединена другая карточка", "Another card absorbed"),
    e.LeadMergedInto: ("Объединена с другой карточкой", "Merged into another card"),
    e.LeadReleased: ("Другая карточка отделена", "Another card released"),
    e.PersonLeft: ("Человек ушёл со своей карточкой", "Person left with their card"),
    e.LeadsToldApart: ("Карточки признаны разными", "Cards told apart"),
    e.LeadSplitOff: ("Отделена от другой карточки", "Split off"),
    e.LeadOffered: ("Заявка предложена", "Offered"),
    e.LeadTaken: ("Заявка взята в работу", "Taken"),
    e.LeadReassigned: ("Сменился менеджер", "Reassigned"),
    e.StageEntered: ("Стадия", "Stage"),
    e.MoveUndone: ("Переход отменён", "Move undone"),
    e.LeadTagged: ("Поставлена метка", "Tagged"),
    e.LeadUntagged: ("Снята метка", "Untagged"),
    e.GuardOverridden: ("Условие снято РОПом", "Guard lifted by the head"),
    e.DeadlineSet: ("Срок назначен", "Deadline set"),
    e.DeadlineMet: ("Срок выполнен", "Deadline met"),
    e.DeadlineMissed: ("Срок пропущен", "Deadline missed"),
    e.DeadlineDropped: ("Срок снят", "Deadline dropped"),
    e.NoticeRaised: ("Сотрудники извещены", "Staff told"),
    e.NoteAdded: ("Заметка", "Note added"),
    e.ContactAttempted: ("Попытка связаться", "Contact attempted"),
    e.ContactLogged: ("Разговор или сообщение", "Contact logged"),
    e.ChecklistItemAssigned: ("Пункт чек-листа поручен", "Checklist item assigned"),
    e.ChecklistItemDone: ("Пункт чек-листа выполнен", "Checklist item done"),
    e.ChecklistItemReopened: ("Пункт чек-листа открыт снова", "Checklist item reopened"),
    e.ScreeningFinished: ("Разговор отсева проведён", "Screening talk finished"),
    e.LeadDisqualified: ("Сработал стоп-критерий", "Disqualified"),
    e.LeadScored: ("Лист оценки заполнен", "Scored"),
    e.PartnerReferred: ("Предложен партнёр", "Partner referred"),
    e.LetterAsked: ("Письмо подготовлено", "Letter asked for"),
    e.LetterSent: ("Письмо отправлено", "Letter sent"),
    e.LetterFailed: ("Письмо не ушло", "Letter failed"),
    e.WorkingGroupFormed: ("Собрана рабочая группа", "Working group formed"),
    e.MeetingPlanned: ("Встреча назначена", "Meeting planned"),
    e.MeetingMoved: ("Встреча перенесена", "Meeting moved"),
    e.MeetingCancelled: ("Встреча отменена", "Meeting cancelled"),
    e.MeetingHeld: ("Встреча состоялась", "Meeting held"),
    e.HeadcountWarned: ("Нас не меньше, чем их", "Headcount warned"),
    e.HeadcountExplained: ("Численность объяснена", "Headcount explained"),
    e.NextStepPlanned: ("Назначен следующий шаг", "Next step planned"),
    e.NextStepDone: ("Следующий шаг сделан", "Next step done"),
    e.BudgetNamed: ("Назван бюджет", "Budget named"),
    e.QuestionRecorded: ("Записан вопрос клиенту", "Question recorded"),
    e.QuestionAnswered: ("Клиент ответил на вопрос", "Question answered"),
    e.NeedFound: ("Найдена потребность", "Need found"),
    e.NeedMadeExplicit: ("Потребность названа клиентом", "Need made explicit"),
    e.BenefitStated: ("Сформулирована польза", "Benefit stated"),
    e.ProposalPromised: ("Названа дата КП", "Proposal promised"),
    e.ProposalDrafted: ("Версия КП готова", "Proposal drafted"),
    e.HeadContributed: ("РОП участвовал в КП", "Head contributed"),
    e.ProposalSent: ("КП отправлено", "Proposal sent"),
    e.ProposalPresented: ("КП показано", "Proposal presented"),
    e.ProposalMailed: ("КП уходит письмом", "Proposal mailed"),
    e.InvitationMailed: ("Приглашение уходит письмом", "Invitation mailed"),
    e.DecisionDateAgreed: ("Согласована дата решения", "Decision date agreed"),
    e.RequestOpened: ("Клиенту чего-то не хватает", "Request opened"),
    e.RequestClosed: ("Просьба клиента закрыта", "Request closed"),
    e.HeadOpinionGiven: ("Мнение РОПа о тестовом", "Head's opinion given"),
    e.TrialDecided: ("Решено о тестовом задании", "Test task decided"),
    e.StallFound: ("Выяснено, почему не решают", "Stall found"),
    e.StallPlayed: ("Действие против задержки", "Stall played"),
    e.LeadSlept: ("Отложена", "Postponed"),
    e.LeadWoken: ("Проснулась", "Woken"),
    e.LeadWon: ("Договор", "Won"),
    e.LeadLost: ("Проигран", "Lost"),
    e.LeadRefused: ("Отказали", "Refused by us"),
    e.LeadReopened: ("Возвращена в работу", "Returned to work"),
    e.HandedOver: ("Передана аккаунт-менеджеру", "Handed over"),
    e.InstalledWorkRecorded: ("Записано, что работает у клиента", "Installed work recorded"),
    e.ChanceRecorded: ("Возможность продать ещё", "Chance recorded"),
    e.ChanceClosed: ("Возможность закрыта", "Chance closed"),
    e.ClientWroteAgain: ("Клиент с договором написал снова", "Client wrote again"),
    e.RequestOpenedByAccount: ("Аккаунт открыл новую заявку", "Request opened by the account manager"),
    e.MessageAsked: ("Сообщение клиенту написано", "Message asked for"),
    e.MessageSent: ("Сообщение ушло", "Message sent"),
    e.MessageReached: ("Сообщение дошло", "Message reached"),
    e.MessageFailed: ("Сообщение не ушло", "Message failed"),
    e.MessageUnknown: ("Неизвестно, ушло ли сообщение", "Message unknown"),
    e.MessageEdited: ("Клиент поправил сообщение", "Message edited"),
    e.FetchAsked: ("Файл запрошен у оператора", "Fetch asked for"),
    e.FileFetched: ("Файл получен", "File fetched"),
    e.FetchEnded: ("Получение закончено без файла", "Fetch ended"),
    e.CallBegan: ("Клиент позвонил", "Call began"),
    e.CallAsked: ("Звонок клиенту начат", "Call asked for"),
    e.CallPlaced: ("Звонок принят оператором", "Call placed"),
    e.CallFailed: ("Звонок не состоялся", "Call failed"),
    e.CallUnknown: ("Неизвестно, был ли звонок", "Call unknown"),
    e.CallMoved: ("Ход звонка", "Call moved"),
    e.CallLegMoved: ("Ход звонка у участника", "Call leg moved"),
    e.CallAnswered: ("На звонок ответили", "Call answered"),
    e.CallMissed: ("Звонок пропущен", "Call missed"),
    e.CallBackAsked: ("Клиент просит перезвонить", "Call back asked for"),
    e.CallRecorded: ("Запись звонка", "Call recorded"),
    e.ErasureAsked: ("Данные человека будут удалены", "Erasure asked for"),
    e.PersonErased: ("Данные человека удалены", "Person erased"),
}
"""Of every event of a lead: its activity in Russian and in English. Stages and endings are called as the process calls them."""

ENDINGS: dict[type[Event], str] = {e.LeadWon: "won", e.LeadLost: "lost", e.LeadRefused: "refused"}
"""Events that end a lead, by the process's id of the ending."""
CLOSING: tuple[type[Event], ...] = (*ENDINGS, e.LeadMergedInto)
"""After these a lead is worked no more until it returns."""
RETURNS: tuple[type[Event], ...] = (e.LeadWoken, e.LeadReopened, e.LeadSplitOff)
"""These bring back a lead that was closed. Of one that only slept they are no step."""
MERGED, RETURNED = e.LeadMergedInto, e.LeadReopened
UNDONE = ("Переход, который отменили", "Move that was undone")
"""A move that was taken back at once leads nowhere: it is no step, and not called like the stage."""

LIFECYCLE: dict[type[Event], str] = {
    e.LeadTaken: "assign", e.LeadReassigned: "reassign", e.ChecklistItemAssigned: "assign", e.LeadSlept: "suspend",
    e.LeadWoken: "resume", e.LeadReopened: "resume", e.LeadSplitOff: "resume", e.DeadlineSet: "schedule",
    e.DeadlineDropped: "withdraw", e.MeetingPlanned: "schedule", e.MeetingCancelled: "withdraw", e.NextStepPlanned: "schedule",
    e.LetterAsked: "schedule", e.LetterFailed: "ate_abort", e.MessageAsked: "schedule", e.MessageFailed: "ate_abort",
    e.MessageUnknown: "unknown", e.CallAsked: "schedule", e.CallBegan: "start", e.CallFailed: "ate_abort",
    e.CallUnknown: "unknown", e.FetchAsked: "schedule", e.RequestOpened: "start", e.ProposalMailed: "schedule",
    e.InvitationMailed: "schedule", e.ProposalPromised: "schedule",
}
"""Transactions of the standard lifecycle model (IEEE 1849); what is not here is ``complete``."""

INSTANCES = ("meeting", "proposal", "request", "letter", "call", "message", "fetch", "stall", "question", "need", "chance",
             "sheet", "loss", "key")
"""Fields that tell events of one thing from those of another, such as the third meeting; the first that an event has counts."""


class Activity(NamedTuple):
    """``step``: the BPMN has a task of this name."""

    name: str
    lifecycle: str
    step: bool


class Names:
    """Activities in the words of one version of the process, in one language: the same words in XES, OCEL and BPMN.

    A stage that is called like another one, or like another event, has its id behind its title.
    """

    def __init__(self, process: Process, language: str = "ru") -> None:
        self.process = process
        self._language = 1 if language == "en" else 0
        stepped = {*ENDINGS, e.StageEntered}
        self._events = {kind: titles[self._language] for kind, titles in ACTIVITIES.items()}
        self._taken = {UNDONE[self._language], *(name for kind, name in self._events.items() if kind not in stepped)}
        self.stages = {id: self._own(stage, language) for id, stage in process.stages.items()}
        self.endings = {id: self._own(ending, language) for id, ending in process.endings.items()}
        self.merged, self.returned = self._events[MERGED], self._events[RETURNED]

    def _own(self, titled: Titled, language: str) -> str:
        name = titled.name(language)
        name = f"{name} ({titled.id})" if name in self._taken else name
        self._taken.add(name)
        return name

    @property
    def steps(self) -> frozenset[str]:
        """The names of all tasks of the BPMN."""
        return frozenset({*self.stages.values(), *self.endings.values(), self.merged, self.returned})

    def of(self, event: Event, *, closed: bool, undone: bool) -> Activity:
        """The activity of an event. ``closed``: the lead had ended or was merged away; ``undone``: this move was taken back."""
        kind = type(event)
        lifecycle = LIFECYCLE.get(kind, "complete")
        if isinstance(event, e.StageEntered) and undone:
            return Activity(UNDONE[self._language], lifecycle, False)
        if isinstance(event, e.StageEntered):
            return Activity(self.stages.get(event.stage, event.stage), lifecycle, True)
        if kind in ENDINGS:
            return Activity(self.endings.get(ENDINGS[kind], self._events[kind]), lifecycle, True)
        if kind in RETURNS and closed:
            return Activity(self.returned, lifecycle, True)
        return Activity(self._events[kind], lifecycle, kind is MERGED)
