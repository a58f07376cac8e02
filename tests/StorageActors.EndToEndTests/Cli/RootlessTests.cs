using System.Formats.Tar;
using System.Text;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Stores of people who are root in a user namespace alone: overlay, with its marks in attributes of users.</summary>
public sealed class RootlessTests
{
    private static readonly byte[] Base = Tar(
        ("etc/", "", []), ("etc/a", "A", []), ("etc/b", "B", []), ("dir/", "", []), ("dir/old", "old", []), ("kept/", "", []), ("kept/below", "below", []), ("set", "s", []));

    /// <summary>An archive's own attribute, which would hide what lies below, is content and no mark.</summary>
    private static readonly byte[] Top = Tar(
        ("etc/", "", []), ("etc/.wh.a", "", []), ("etc/c", "C", []), ("dir/", "", []), ("dir/.wh..wh..opq", "", []), ("dir/new", "new", []),
        ("kept/", "", [new("SCHILY.xattr.user.overlay.opaque", "y")]), ("kept/above", "above", []));

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Layers_are_stacked_written_to_sealed_given_back_and_removed(bool onTmpfs)
    {
        using var store = new RootlessStore(onTmpfs);
        store.Write("base.tar", Base);
        store.Write("top.tar", Top);
        Directory.CreateDirectory(store["run"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);   // Of who became root, not the user's.
        var run = (await store.RunAsync("""
            "$S" apply -q --id base "$D/base.tar" 2>&1
            "$S" apply -q --id top --parent base "$D/top.tar" > "$D/applied" 2>&1
            XDG_RUNTIME_DIR="$D/run" "$S" info > "$D/info"
            M=$("$S" mount -q top)
            (cd "$M"; find . -type f | sort; stat -c %a set)
            "$S" umount -q top > "$D/ignored"
            "$S" create -q --parent top --id rw > "$D/ignored"
            M=$("$S" mount -q rw)
            grep " $M " /proc/self/mountinfo | grep -o userxattr
            rm "$M/etc/b"; rm -r "$M/dir"; mkdir "$M/dir"; echo again > "$M/dir/again"; rm -r "$M/kept"
            "$S" umount -q rw > "$D/ignored"
            getfattr --absolute-names --only-values -n user.overlay.opaque "$STORAGE_ACTORS_ROOT/overlay/rw/diff/dir"; echo
            stat -c '%F %t:%T' "$STORAGE_ACTORS_ROOT/overlay/rw/diff/kept" "$STORAGE_ACTORS_ROOT/overlay/top/diff/etc/a"
            "$S" changes rw
            "$S" commit -q rw > "$D/ignored"
            "$S" diff rw > "$D/rw.tar"; "$S" diff base > "$D/base.out"; "$S" diff top > "$D/top.out"
            "$S" apply -q --id again --parent top "$D/rw.tar" > "$D/ignored"
            "$S" check --full > "$D/checked" 2>&1
            M=$("$S" mount -q again)
            (cd "$M"; find . -type f | sort)
            "$S" umount -q again > "$D/ignored"
            """)).Exits(0);
        Assert.Equal(
            ["base", "./dir/new", "./etc/b", "./etc/c", "./kept/above", "./kept/below", "./set", "4755", "userxattr", "y", "character special file 0:0", "character special file 0:0",
                "C /dir", "A /dir/again", "D /dir/new", "C /etc", "D /etc/b", "D /kept", "./dir/again", "./etc/c", "./set"], run.Lines);
        Assert.Equal(Base, await File.ReadAllBytesAsync(store["base.out"]));
        Assert.Equal(Top, await File.ReadAllBytesAsync(store["top.out"]));
        var info = await File.ReadAllTextAsync(store["info"]);
        Assert.Matches("driver +name +overlay", info);
        Assert.DoesNotContain("not found out", info, StringComparison.Ordinal);
        Assert.Matches("user namespace +of its own: users 0:", info);
        Assert.Matches(@"whiteouts +.*user\.overlay\.opaque \(userxattr", info);
        Assert.Contains("\"user-xattrs\"", await File.ReadAllTextAsync(store["store/format.json"]), StringComparison.Ordinal);
        Assert.Equal(store.User, Linux.Libc.Stat(store["store/overlay/base/diff/etc/a"]).UserId);

        (await store.RunAsync("""for layer in again rw top base; do "$S" rm -q "$layer"; done; "$S" check; test "$(ls "$STORAGE_ACTORS_ROOT/overlay")" = l""")).Exits(0);
        Assert.Empty(store.Leftovers());
    }

    [SkippableFact]
    public async Task Mount_that_went_with_its_namespace_is_made_again_for_who_holds_it()
    {
        using var store = new RootlessStore();
        (await store.RunAsync("""
            "$S" create -q --id rw
            M=$("$S" mount -q rw --lease mine); echo kept > "$M/file"
            """)).Exits(0);
        await store.UnusedAsync("rw");
        var run = (await store.RunAsync("""
            M=$("$S" mount -q rw --lease mine); cat "$M/file"
            "$S" umount -q rw > "$D/ignored"
            grep -c " $M " /proc/self/mountinfo || true
            "$S" changes rw; "$S" commit -q rw > "$D/ignored"; "$S" check
            """)).Exits(0);
        Assert.Equal(["kept", "0", "A /file"], run.Lines);
        Assert.Empty(store.Leftovers());
    }

    [SkippableFact]
    public async Task Layer_that_another_namespace_writes_to_is_not_mounted_sealed_or_removed()
    {
        using var store = new RootlessStore();
        using (var elsewhere = store.Start("""
            "$S" create -q --id rw > "$D/ignored"
            M=$("$S" mount -q rw); echo first > "$M/file"
            echo mounted; read -r go || true
            cat "$M/file"
            """))
        {
            await RootlessStore.AwaitLineAsync(elsewhere, "mounted");
            var refused = await store.RunAsync("""
                "$S" mount rw && exit 1
                "$S" commit rw && exit 1
                "$S" rm rw && exit 1
                exit 0
                """);
            Assert.Equal(3, refused.Exits(0).Error.Split('\n').Count(static line => line.StartsWith("storage-actors: ", StringComparison.Ordinal) && line.Contains("another mount namespace", StringComparison.Ordinal)));
            elsewhere.StandardInput.Close();
            Assert.Equal("first\n", (await RootlessStore.EndAsync(elsewhere)).Exits(0).Text); // It was not taken away from there, either.
        }

        await store.UnusedAsync("rw");
        (await store.RunAsync("""M=$("$S" mount -q rw); cat "$M/file"; "$S" umount rw; "$S" rm rw""")).Exits(0);
    }

    [SkippableTheory]
    [InlineData("after-rename", "apply --id base $D/base.tar")]
    [InlineData("after-mount", "mount rw")]
    public async Task Killed_command_is_settled_by_the_next_one_in_another_namespace(string place, string command)
    {
        using var store = new RootlessStore();
        store.Write("base.tar", Base);
        if (!command.StartsWith("apply", StringComparison.Ordinal)) (await store.RunAsync("\"$S\" create -q --id rw")).Exits(0);
        var killed = await store.RunAsync($"STORAGE_ACTORS_CRASH_AT={place} \"$S\" {command}");
        Assert.Equal(137, killed.ExitCode);
        if (command == "mount rw") await store.UnusedAsync("rw");

        (await store.RunAsync("""
            "$S" check
            L=$("$S" layers -q); test -n "$L"
            M=$("$S" mount -q "$L"); ls "$M"; "$S" umount "$L"
            "$S" rm "$L"
            """)).Exits(0);
        Assert.Empty(store.Leftovers());
    }

    [SkippableFact]
    public async Task Owner_that_the_namespace_lacks_is_named_with_what_helps_and_devices_are_left_out()
    {
        using var store = new RootlessStore();
        store.Write("owner.tar", Tar(("file", "1", []), entry => (entry.Uid, entry.Gid) = (1000, 42)));
        using (var buffer = new MemoryStream())
        {
            using (var tar = new TarWriter(buffer, TarEntryFormat.Pax, leaveOpen: true)) tar.WriteEntry(new PaxTarEntry(TarEntryType.CharacterDevice, "null") { DeviceMajor = 1, DeviceMinor = 3 });
            store.Write("device.tar", buffer.ToArray());
        }

        await File.WriteAllTextAsync(store["tolerant.conf"], "storage-actors.ignore-chown-errors = on\n");
        var run = (await store.RunAsync("""
            "$S" apply --id owner "$D/owner.tar" && exit 1
            "$S" apply --id owner --config "$D/tolerant.conf" "$D/owner.tar"
            "$S" apply --id device "$D/device.tar"
            "$S" diff owner | cmp - "$D/owner.tar"; "$S" diff device | cmp - "$D/device.tar"
            "$S" check --full --config "$D/tolerant.conf"
            """)).Exits(0);
        Assert.Contains("owner 1000:42", run.Error, StringComparison.Ordinal);
        Assert.Contains("--map-auto", run.Error, StringComparison.Ordinal);
        Assert.Contains("owners are not kept", run.Error, StringComparison.Ordinal);
        Assert.Contains("a device is left out", run.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Store_of_root_and_one_of_a_namespace_are_not_taken_for_each_other()
    {
        using var rootless = new RootlessStore();
        (await rootless.RunAsync("\"$S\" create -q --id rw")).Exits(0);
        await using var store = new CliStore();
        (await store.FeedAsync(Base, "apply", "--id", "base", "--driver", "overlay")).Exits(0);

        await RefusedAsync("was made in a user namespace", store.RunAsync("info", "--root", rootless.Root));
        Assert.Contains("rw", (await store.RunAsync("layers", "-q", "--root", rootless.Root)).Exits(0).Lines); // To read the journal is another matter.
        await File.WriteAllTextAsync(store["additional.conf"], $"storage-actors.additional-stores = [\"{rootless.Root}\"]\n");
        await RefusedAsync("do not go together", store.RunAsync("info", "--config", store["additional.conf"]));
        var there = Command.TryRun("unshare", "--user", "--map-root-user", "--mount", CliProcess.Executable, "info", "--root", store.Root)!;
        await RefusedAsync("was made by root of the machine", Task.FromResult(new CliResult(there.ExitCode, Encoding.UTF8.GetBytes(there.Output), there.Error)));

        // Without its format file nothing says which it was.
        File.Delete(Path.Combine(rootless.Root, "format.json"));
        var lost = await rootless.RunAsync("\"$S\" info");
        Assert.NotEqual(0, lost.ExitCode);
        Assert.Contains("restore it", lost.Error, StringComparison.Ordinal);

        static async Task RefusedAsync(string why, Task<CliResult> run)
        {
            var result = await run;
            Assert.NotEqual(0, result.ExitCode);
            Assert.Contains(why, Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        }
    }

    private static byte[] Tar(params (string Name, string Text, KeyValuePair<string, string>[] Attributes)[] files) => Tar(files, static entry =>
    {
        if (entry.Name == "set") entry.Mode |= UnixFileMode.SetUser;
    });

    private static byte[] Tar((string Name, string Text, KeyValuePair<string, string>[] Attributes) file, Action<TarEntry> change) => Tar([file], change);

    private static byte[] Tar((string Name, string Text, KeyValuePair<string, string>[] Attributes)[] files, Action<TarEntry> change)
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, text, attributes) in files)
            {
                var entry = new PaxTarEntry(name.EndsWith('/') ? TarEntryType.Directory : TarEntryType.RegularFile, name, attributes)
                {
                    ModificationTime = DateTimeOffset.UnixEpoch, Mode = (UnixFileMode)0x1ED,
                };
                if (!name.EndsWith('/')) entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text));
                change(entry);
                tar.WriteEntry(entry);
            }
        }

        return buffer.ToArray();
    }
}
