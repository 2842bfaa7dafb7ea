import java.lang.reflect.*;
import java.net.InetAddress;
import java.util.*;

/**
 * Asks real Flink's own factories how many network buffers a result partition and an input gate take. Only reflection,
 * so that one file runs with every version from 1.9 on: java -cp flink-dist.jar:... NetworkNeed VERSION, JSON lines out.
 */
public class NetworkNeed {
    static final String NET = "org.apache.flink.runtime.io.network.";
    static final int[] WIDTHS = {1, 2, 3, 10, 50, 127, 128, 400, 499, 500, 501, 1000, 2000};

    static Class<?> c(String name) {
        try { return Class.forName(name); } catch (ClassNotFoundException e) { return null; }
    }

    static Object call(Object on, String method, Object... args) throws Exception {
        for (Class<?> k = on.getClass(); k != null; k = k.getSuperclass())
            for (Method m : k.getDeclaredMethods())
                if (m.getName().equals(method) && m.getParameterCount() == args.length && !m.isBridge()) {
                    m.setAccessible(true);
                    return m.invoke(on, args);
                }
        return null;
    }

    static Field field(Class<?> k, String name) {
        for (; k != null; k = k.getSuperclass())
            for (Field f : k.getDeclaredFields())
                if (f.getName().equals(name)) { f.setAccessible(true); return f; }
        return null;
    }

    static Object pool(int buffers) throws Exception {
        Class<?> k = c(NET + "buffer.NetworkBufferPool");
        for (Constructor<?> x : k.getConstructors()) {
            Class<?>[] p = x.getParameterTypes();
            if (p.length == 2) return x.newInstance(buffers, 64);
            if (p.length == 3 && p[2] == int.class) return x.newInstance(buffers, 64, 1);
        }
        throw new IllegalStateException("no constructor");
    }

    static Object settings(Map<String, String> conf) throws Exception {
        Class<?> k = c("org.apache.flink.configuration.Configuration");
        Object configuration = k.getConstructor().newInstance();
        Method set = k.getMethod("setString", String.class, String.class);
        for (Map.Entry<String, String> e : conf.entrySet()) set.invoke(configuration, e.getKey(), e.getValue());
        Class<?> n = c("org.apache.flink.runtime.taskmanager.NettyShuffleEnvironmentConfiguration");
        for (Method m : n.getMethods())
            if (m.getName().equals("fromConfiguration")) {
                Class<?> p = m.getParameterTypes()[1];
                Object size = p == long.class ? (Object) (1L << 30) : p.getConstructor(long.class).newInstance(1L << 30);
                return m.invoke(null, configuration, size, false, InetAddress.getLoopbackAddress());
            }
        throw new IllegalStateException("no fromConfiguration");
    }

    static Object get(Object settings, String... names) throws Exception {
        for (String name : names) {
            Object found = call(settings, name);
            if (found != null) return found;
        }
        return null;
    }

    static Object supplied(Object factory) throws Exception {
        for (String name : new String[] {"get", "apply"})
            for (Method m : factory.getClass().getMethods())
                if (m.getName().equals(name)) {
                    m.setAccessible(true);
                    return m.getParameterCount() == 0 ? m.invoke(factory) : m.invoke(factory, owner());
                }
        throw new IllegalStateException("nothing to call on " + factory);
    }

    /** Up to 1.11 a partition without back pressure registers itself as the owner of its pool. */
    static Object owner() {
        Class<?> k = c(NET + "buffer.BufferPoolOwner");
        return Proxy.newProxyInstance(k.getClassLoader(), new Class<?>[] {k}, (proxy, method, arguments) -> null);
    }

    /** The real ResultPartitionFactory with the fields that its buffer pools depend on, out of real settings. */
    static Object partitions(Object settings, Object pool) throws Exception {
        Field unsafe = c("sun.misc.Unsafe").getDeclaredField("theUnsafe");
        unsafe.setAccessible(true);
        Class<?> k = c(NET + "partition.ResultPartitionFactory");
        Object factory = ((sun.misc.Unsafe) unsafe.get(null)).allocateInstance(k);
        for (Field f : k.getDeclaredFields()) {
            if (Modifier.isStatic(f.getModifiers())) continue;
            f.setAccessible(true);
            Object value = null;
            switch (f.getName()) {
                case "bufferPoolFactory": value = pool; break;
                case "networkBuffersPerChannel":
                case "configuredNetworkBuffersPerChannel": value = get(settings, "networkBuffersPerChannel"); break;
                case "floatingNetworkBuffersPerGate": value = get(settings, "floatingNetworkBuffersPerGate"); break;
                case "maxBuffersPerChannel": value = get(settings, "getMaxBuffersPerChannel"); break;
                case "sortShuffleMinBuffers": value = get(settings, "sortShuffleMinBuffers"); break;
                case "sortShuffleMinParallelism": value = get(settings, "sortShuffleMinParallelism"); break;
                case "maxOverdraftBuffersPerGate": value = get(settings, "getMaxOverdraftBuffersPerGate"); break;
                case "tieredStorage": value = Optional.empty(); break;
                default: continue;
            }
            if (value != null) f.set(factory, value);
            else if (f.getType() == int.class) throw new IllegalStateException("unset " + f.getName());
        }
        return factory;
    }

    static Object type(String name) {
        Class<?> k = c(NET + "partition.ResultPartitionType");
        for (Object e : k.getEnumConstants()) if (e.toString().equals(name)) return e;
        return null;
    }

    static Throwable root(Throwable t) {
        while (t instanceof InvocationTargetException && t.getCause() != null) t = t.getCause();
        return t;
    }

    static String quoted(String s) { return "\"" + s.replace("\\", "\\\\").replace("\"", "\\\"") + "\""; }

    static void release(Object bufferPool) throws Exception { call(bufferPool, "lazyDestroy"); }

    /** exclusive a channel, required floating, most floating; through the same calls as SingleInputGateFactory. */
    static int[] gate(Object settings, Object pool, Object type, int channels) throws Exception {
        int perChannel = (Integer) get(settings, "networkBuffersPerChannel");
        int floating = (Integer) get(settings, "floatingNetworkBuffersPerGate");
        Class<?> specs = c(NET + "partition.consumer.InputGateSpecUtils");
        Class<?> factory = c(NET + "partition.consumer.SingleInputGateFactory");
        if (specs != null) {
            Object most = get(settings, "maxRequiredBuffersPerGate", "getMaxRequiredBuffersPerGate");
            Object spec = null;
            for (Method m : specs.getDeclaredMethods())
                if (m.getName().equals("createGateBuffersSpec"))
                    spec = m.getParameterCount() == 6
                            ? m.invoke(null, most, perChannel, floating, type, channels, false)
                            : m.invoke(null, most, perChannel, floating, type, channels);
            int required = (Integer) call(spec, "getRequiredFloatingBuffers");
            int total = (Integer) call(spec, "getTotalFloatingBuffers");
            int[] made = made(factory, pool, type, perChannel, required, total, channels);
            return new int[] {(Integer) call(spec, "getEffectiveExclusiveBuffersPerChannel"), made[0], made[1]};
        }
        int[] made = made(factory, pool, type, perChannel, -1, floating, channels);
        return new int[] {perChannel, made[0], made[1]};
    }

    static int[] made(Class<?> factory, Object pool, Object type, int perChannel, int required, int floating, int channels)
            throws Exception {
        for (Method m : factory.getDeclaredMethods()) {
            if (!m.getName().equals("createBufferPoolFactory")) continue;
            m.setAccessible(true);
            Class<?>[] p = m.getParameterTypes();
            List<Object> args = new ArrayList<>();
            int ints = 0;
            for (Class<?> k : p) if (k == int.class) ints++;
            int seen = 0;
            for (Class<?> k : p) {
                if (k == int.class) {
                    // (perChannel, floating, channels), (required, floating) or (floating)
                    int value = ints == 3 ? new int[] {perChannel, floating, channels}[seen]
                            : ints == 2 ? new int[] {required, floating}[seen] : floating;
                    args.add(value);
                    seen++;
                } else if (k == boolean.class) args.add(true);
                else if (k.getSimpleName().equals("ResultPartitionType")) args.add(type);
                else args.add(pool);
            }
            if (ints == 2 && required < 0) throw new IllegalStateException("how many are required?");
            Object bufferPool = supplied(m.invoke(null, args.toArray()));
            int[] found = {
                (Integer) call(bufferPool, "getNumberOfRequiredMemorySegments"),
                (Integer) call(bufferPool, "getMaxNumberOfMemorySegments")
            };
            release(bufferPool);
            return found;
        }
        throw new IllegalStateException("no createBufferPoolFactory");
    }

    static void rows(String version, Map<String, String> conf) throws Exception {
        StringBuilder text = new StringBuilder();
        for (Map.Entry<String, String> e : conf.entrySet())
            text.append(text.length() > 0 ? "," : "").append(quoted(e.getKey())).append(":").append(quoted(e.getValue()));
        String head = "{\"version\":" + quoted(version) + ",\"conf\":{" + text + "},";
        Object settings = settings(conf);
        Object pool = pool(60000);
        Object partitions = partitions(settings, pool);
        for (String name : new String[] {"PIPELINED", "PIPELINED_BOUNDED", "BLOCKING"}) {
            Object type = type(name);
            for (int width : WIDTHS) {
                String row = head + "\"exchange\":" + quoted(name) + ",\"width\":" + width;
                try {
                    Object bufferPool = supplied(call(partitions, "createBufferPoolFactory", width, type));
                    Object overdraft = call(bufferPool, "getMaxOverdraftBuffersPerGate");
                    System.out.println(row + ",\"part\":\"partition\",\"required\":"
                            + call(bufferPool, "getNumberOfRequiredMemorySegments") + ",\"most\":"
                            + call(bufferPool, "getMaxNumberOfMemorySegments") + ",\"overdraft\":" + overdraft + "}");
                    release(bufferPool);
                } catch (Throwable t) {
                    System.out.println(row + ",\"part\":\"partition\",\"fails\":" + quoted(String.valueOf(root(t))) + "}");
                }
                try {
                    int[] g = gate(settings, pool, type, width);
                    System.out.println(row + ",\"part\":\"gate\",\"exclusive\":" + g[0] + ",\"required\":" + g[1]
                            + ",\"most\":" + g[2] + "}");
                } catch (Throwable t) {
                    System.out.println(row + ",\"part\":\"gate\",\"fails\":" + quoted(String.valueOf(root(t))) + "}");
                }
            }
        }
    }

    public static void main(String[] args) throws Exception {
        String version = args[0];
        String memory = "taskmanager.network.memory.";
        String sort = "taskmanager.network.sort-shuffle.";
        List<Map<String, String>> confs = new ArrayList<>();
        confs.add(Map.of());
        confs.add(new TreeMap<>(Map.of(memory + "buffers-per-channel", "4", memory + "floating-buffers-per-gate", "16")));
        confs.add(new TreeMap<>(Map.of(memory + "buffers-per-channel", "0")));
        confs.add(new TreeMap<>(Map.of(sort + "min-buffers", "100", sort + "min-parallelism", "128")));
        confs.add(new TreeMap<>(Map.of(memory + "read-buffer.required-per-gate.max", "7")));
        confs.add(new TreeMap<>(Map.of(memory + "max-overdraft-buffers-per-gate", "3")));
        for (Map<String, String> conf : confs) {
            try { rows(version, conf); }
            catch (Throwable t) {
                Throwable r = root(t);
                System.out.println("{\"version\":" + quoted(version) + ",\"conf\":" + quoted(conf.toString()) + ",\"fails\":"
                        + quoted(String.valueOf(r)) + "}");
                r.printStackTrace();
            }
        }
        // Netty's arenas.
        Class<?> k = c(NET + "netty.NettyBufferPool");
        Object netty = k.getConstructor(int.class).newInstance(3);
        Object config = null;
        for (Constructor<?> x : c(NET + "netty.NettyConfig").getConstructors()) {
            Object[] a = new Object[x.getParameterCount()];
            Class<?>[] p = x.getParameterTypes();
            int ints = 0;
            for (int i = 0; i < a.length; i++) {
                if (p[i] == InetAddress.class) a[i] = InetAddress.getLoopbackAddress();
                else if (p[i] == int.class) a[i] = new int[] {0, 32768, 5}[ints++];
                else if (p[i].getSimpleName().equals("PortRange")) a[i] = p[i].getConstructor(int.class).newInstance(0);
                else a[i] = p[i].getConstructor().newInstance();
            }
            if (ints < 3 && !Arrays.toString(p).contains("PortRange")) continue;
            if (ints == 2) for (int i = 0, n = 0; i < a.length; i++) if (p[i] == int.class) a[i] = new int[] {32768, 5}[n++];
            config = x.newInstance(a);
        }
        System.out.println("{\"version\":" + quoted(version) + ",\"part\":\"netty\",\"slots\":5,\"arenas\":"
                + call(config, "getNumberOfArenas") + ",\"server_threads\":" + call(config, "getServerNumThreads")
                + ",\"client_threads\":" + call(config, "getClientNumThreads") + ",\"chunk\":" + call(netty, "getChunkSize")
                + "}");
        // What is thrown where the buffers do not suffice.
        Object small = pool(10);
        Object partitions = partitions(settings(Map.of()), small);
        try {
            Object bufferPool = supplied(call(partitions, "createBufferPoolFactory", 100, type("PIPELINED_BOUNDED")));
            System.out.println("{\"version\":" + quoted(version) + ",\"part\":\"insufficient\",\"message\":null}");
        } catch (Throwable t) {
            System.out.println("{\"version\":" + quoted(version) + ",\"part\":\"insufficient\",\"message\":"
                    + quoted(String.valueOf(root(t))) + "}");
        }
        System.exit(0);
    }
}
