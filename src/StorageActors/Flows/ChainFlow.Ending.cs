using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Staging;

namespace StorageActors.Flows;

/// <content>Staging, committing and ending.</content>
internal sealed partial class ChainFlow
{
    private TicketId? _asked;
    private Action<StagingProtocol.IForTicket>? _onStaging;
    private bool _isLetIn;
    private Action? _whenEnded;

    private void Stage(IReadOnlyList<ChainLink> links)
    {
        if (links.Count == 0) return;
        var stages = new List<StagingProtocol.Stage>(links.Count);
        foreach (var link in links)
        {
            link.KnewParents = _links.Take(link.Index).All(static lower => lower.State is LinkState.Done or LinkState.Ready);
            (link.State, link.HasStaging) = (LinkState.Staging, true);
            stages.Add(new StagingProtocol.Stage(link.Ticket, link.OwnId, link.KnewParents ? ParentsOf(link) : null, link.Part.Source, link.Part.Expect, IdsOf(link)));
        }

        Store.Stagings.Tell(new StagingProtocol.Begin(stages, _isLetIn));
        _isLetIn = true;
    }

    private void Staged(StagingProtocol.Staged staged)
    {
        if (LinkOf(staged.Ticket) is not { State: LinkState.Staging } link) return;
        (link.Extracted, link.Seconds, link.State) = (staged.Extracted, staged.Seconds, LinkState.Staged);
        Advance();
    }

    /// <summary>Has a step done for a staged layer, one at a time.</summary>
    private void AskStaging<T>(StagingProtocol.IForTicket command, Action<T> then, Action<StorageError>? failed = null)
    {
        var link = LinkOf(command.Ticket)!;
        _asked = command.Ticket;
        _onStaging = answer =>
        {
            (_asked, _onStaging) = (null, null);
            if (answer is T expected) then(expected);
            else if (failed is not null && answer is StagingProtocol.Failed failure) failed(failure.Error);
            else if (answer is StagingProtocol.Failed { Error: var error }) Fail(error, link);
        };
        Store.Stagings.Tell(command);
    }

    /// <summary>Makes durable, renames and journals all that is complete.</summary>
    private void CommitReady(Action next)
    {
        _isBusy = true;
        var ready = Ready();
        if (ready.Count == 0)
        {
            Record([], next);
        }
        else if (Store.Settings.Durability == Durability.None)
        {
            Rename(ready, 0, next);
        }
        else
        {
            foreach (var link in ready) Publish(link, StagingPhase.Syncing);
            Ask<DurabilityActor.Synced>(
                Store.Durability, new DurabilityActor.Sync(ready[0].Ticket), _ => Rename(ready, 0, next), error => Fail(error, null));
        }
    }

    private void Rename(List<ChainLink> ready, int index, Action next)
    {
        if (index == ready.Count)
        {
            Record(ready, next);
            return;
        }

        _isCommitting = true;
        var link = ready[index];
        var isDurable = index == ready.Count - 1 && Store.Settings.Durability == Durability.Full;
        AskStaging<StagingProtocol.Committed>(
            new StagingProtocol.Commit(link.Ticket, OwnBelow(link), isDurable),
            _ => Rename(ready, index + 1, next),
            error => Record(ready[..index], () => Fail(error, link)));
    }

    /// <summary>The layer below whose directory has to be there still: what lies in an additional store is nobody's to remove here.</summary>
    private LayerId? OwnBelow(ChainLink link) => BelowId(link) is { } below && Store.View.Current.StoreOf(below) is null ? below : null;

    /// <summary>Journals what was renamed; with the last of the chain, the names of all, and the labels of those that were there.</summary>
    private void Record(List<ChainLink> renamed, Action next)
    {
        var isWhole = _cursor == _links.Count && Ready().Count == renamed.Count;
        var given = isWhole ? _links.Select(static link => new CatalogInternal.Given(link.Id, link.Part.Names, link.IsReused ? link.Part.Labels : null))
            .Where(static one => one.Names.Count > 0 || one.Labels is { Count: > 0 }).ToList() : [];
        var records = renamed.Select(static link => link.Record!).ToList();
        Ask<CatalogInternal.LayersCommitted>(Store.Catalog, new CatalogInternal.CommitLayers(records, given), _ =>
        {
            (_isBusy, _isCommitting) = (false, false);
            foreach (var link in renamed) link.State = LinkState.Done;
            if (_failure is { } failure && !isWhole) Fail(failure.Error, failure.Link);
            else next();
        });
    }

    private void Conclude()
    {
        foreach (var link in _links)
        {
            // A name that its maker gave to the layer we waited for may be another's by now.
            if (link.Part.Names.FirstOrDefault(name => Store.View.Current.FindLayerName(name) != link.Id) is not { } lost) continue;
            Fail(Refusals.Exists(Operation, $"another layer has got the name {lost} meanwhile", StorageErrorReason.DuplicateLayerName, Store.View.Current.FindLayerName(lost)), null);
            return;
        }

        var current = Store.View.Current;
        var answer = _order.Answer([.. _links.Select(link => new StoreProtocol.AppliedLayer(current.FindLayer(link.Id) ?? link.Record!, link.IsReused, link.Seconds))]);
        foreach (var link in _links) Publish(link, StagingPhase.Done);
        EndAll(() => Finish(answer));
    }

    /// <summary>
    /// Stops everything, and answers when nothing is left of it. What has been renamed is journaled first: a layer in the store that nobody knows would stay there until
    /// the next start.
    /// </summary>
    private void Fail(StorageError error, ChainLink? link)
    {
        if (_isEnding) return;
        if (_isCommitting)
        {
            _failure ??= (error, link);
            return;
        }

        foreach (var unfinished in _links.Where(static one => one.State != LinkState.Done)) Publish(unfinished, StagingPhase.Failed);
        var where = link is not null && _links.Count > 1 ? error with { Message = $"layer {link.Index + 1} of {_links.Count}: {error.Message}" } : error;
        Abandon();
        EndAll(() => Refuse(where));
    }

    private void EndAll(Action then)
    {
        _isEnding = true;
        (_asked, _onStaging, _whenEnded) = (null, null, then);
        foreach (var link in _links) EndStaging(link);
        ReleaseUploads(_order.Parts.Select(static part => part.Source));
        if (_links.TrueForAll(static link => !link.HasStaging)) Concluded();
    }

    private void EndStaging(ChainLink link)
    {
        if (link.HasStaging) Store.Stagings.Tell(new StagingProtocol.End(link.Ticket));
    }

    private void Ended(ChainLink? link)
    {
        if (link is not null) link.HasStaging = false;
        if (_links.TrueForAll(static one => !one.HasStaging)) Concluded();
    }

    private void Concluded()
    {
        var then = _whenEnded;
        _whenEnded = null;
        then?.Invoke();
    }
}
