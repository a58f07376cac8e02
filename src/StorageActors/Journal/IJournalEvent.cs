namespace StorageActors.Journal;

/// <summary>Something that the journal keeps, an event or a snapshot. <see cref="JournalSerializer"/> is bound to it.</summary>
internal interface IJournalEvent;
